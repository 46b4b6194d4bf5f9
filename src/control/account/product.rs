//! Switching the product on, where the account asks for it: the one thing that an account changes in its cloud.

use std::time::Duration;

use kube::{Resource as _, ResourceExt as _};
use privatelink_core::observed::Facet;
use privatelink_core::plan::account::{Opening, Product, is_open, plan};
use privatelink_core::plan::{Plan, Saying};
use privatelink_core::requeue;

use crate::api::{CloudAccount, memory};
use crate::cloud::pool::Site;
use crate::control::act::act;
use crate::control::context::{Context, Mind};
use crate::object::ObjectKey;
use crate::runtime::clock;

/// When a step that others keep back is looked at again, if its turn at the gate does not come before.
const QUEUED: Duration = Duration::from_secs(2);
/// Rounds of one turn at most: a look, the step, a look that shows it, and nothing left to do.
const ROUNDS: usize = 4;

/// What came of one turn.
#[derive(Default)]
pub(super) struct Turned {
    /// What is to be said; it comes before what is said otherwise.
    pub sayings: Vec<Saying>,
    /// When to look again.
    pub pause: Option<Duration>,
    /// It was switched on just now: refusals from before count no longer.
    pub opened: bool,
}

/// Looks, and switches the product on where that is asked for and due; not before there is a `site`.
pub(super) async fn turn(context: &Context, site: Option<&Site>, account: &CloudAccount, mind: &mut Mind) -> Turned {
    let (name, uid) = (account.name_any(), account.uid().unwrap_or_default());
    let generation = account.meta().generation.unwrap_or_default();
    let options = account.spec.alibaba.as_ref();
    let asked = options.and_then(|options| options.open_product).unwrap_or_default();
    let Some(site) = site else {
        return Turned { pause: asked.then_some(QUEUED), ..Turned::default() };
    };
    let key = ObjectKey { kind: "CloudAccount", namespace: String::new(), name: name.clone(), uid: uid.clone() };
    let (mut turned, mut stepped) = (Turned::default(), false);
    for _ in 0..ROUNDS {
        let now = clock::now();
        let product = Product { asked, open: &mind.product, tries: &mind.tries, generation, uid: &uid, now };
        match plan(&product) {
            Opening::Nothing => return Turned { opened: stepped, ..Turned::default() },
            Opening::Look => match is_open(context.pool.product(&name).await) {
                Ok(value) => {
                    mind.unopened_since = None;
                    mind.product = Facet::Seen { at: now, value };
                }
                Err(failure) => {
                    let since = *mind.unopened_since.get_or_insert(now);
                    let common = account.status.as_ref().map(|status| memory::common(&status.common));
                    return turned.saying(Plan::unreadable(&failure, &common.unwrap_or_default(), since, now), &uid);
                }
            },
            Opening::Plan(plan) => {
                let acted = act(context, site, &name, &key, generation, mind, &plan.steps).await;
                turned = turned.saying(*plan, &uid);
                if acted.queued {
                    turned.pause = Some(QUEUED);
                }
                if !acted.answered {
                    return turned;
                }
                mind.product = Facet::Unseen;
                stepped = true;
            }
        }
    }
    turned
}

impl Turned {
    fn saying(self, plan: Plan, seed: &str) -> Self {
        let pause = requeue::after(plan.next, clock::now(), seed);
        Self { sayings: plan.sayings, pause, ..self }
    }
}
