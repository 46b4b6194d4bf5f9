//! One turn of one object: the page to read first.
//!
//! What it refers to is found ([`Kind::dereference`]) and its spec parsed ([`Kind::parse`]); the finalizer is put
//! on; then, round after round, it is planned from what is known ([`Kind::plan`]), what the plan wants to know is
//! looked at, and its steps are made ([`act`](super::act)), until nothing is left to do now. What is the case is
//! reported ([`Kind::report`]) and written where it differs, and whoever watches is told of what has changed.
//! Nothing is remembered between turns that is not in the cloud or in the status, save what may be lost
//! ([`Mind`]).

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt as _};
use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::Deletion;
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::moment::Moment;
use privatelink_core::overlay::Laid;
use privatelink_core::plan::{Next, Plan, Truth, say};
use privatelink_core::read::{FacetKey, Look};
use privatelink_core::status::{Common, Condition};
use privatelink_core::{report, requeue};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::api::parse::{Invalid, RECONCILE_REQUESTED_AT, annotations};
use crate::cloud::pool::Site;
use crate::object::ObjectKey;
use crate::runtime::clock;

use super::account;
use super::act::{Acted, act};
use super::context::{Context, Mind, Name};
use super::error::Error;
use super::events::{Happening, transitions};
use super::finalizer;
use super::kind::{Fault, Kind, Turn, Unmet};
use super::reach::Reached;
use super::relate::{self, Ours as _};
use super::status;
use super::wake;
use super::watch::{Guarded, Stores};

/// Rounds of one turn at most: the longest chain of a service (pin, create, its load balancers one after the
/// other) goes on in the next turn, so that no object keeps a worker to itself.
const ROUNDS: usize = 16;
/// How often counts alone are written.
const COUNTS: Duration = Duration::from_secs(10);
/// When a turn that waits at the gate is made again, if its place in the queue should be lost.
const QUEUED: Duration = Duration::from_mins(1);
/// What was seen within this time is seen as it is: all that come within it share one look.
const RECENT: Duration = Duration::from_secs(10);
/// When what could not be published is tried again.
const UNPUBLISHED: Duration = Duration::from_mins(1);
/// When a turn that was overtaken by a change is made again, if the watch does not bring the change before.
const OVERTAKEN: Duration = Duration::from_secs(2);

/// Looks after one object: one turn, and when the next is due.
///
/// # Errors
/// Never: what goes wrong decides when the next turn is due.
pub async fn reconcile<K: Kind>(stored: Arc<Guarded<K::Object>>, context: Arc<Context>) -> Result<Action, Infallible> {
    let meta = stored.meta();
    let (namespace, name) = (meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default());
    let span = tracing::info_span!("turn", kind = K::Object::KIND, namespace = namespace, object = name);
    let turn = async {
        let mind = context.minds.of(stored.meta());
        let mut mind = mind.lock().await;
        let began = Instant::now();
        let pause = match &stored.0 {
            Ok(object) => {
                let object = K::own(&context).latest(object.clone());
                turn::<K>(object, &context, &mut mind).await
            }
            Err(invalid) => {
                tracing::warn!(error = invalid.error, "the object cannot be read");
                let note = format!("the object cannot be read by this version and is left alone: {}", invalid.error);
                let happening = Happening { normal: false, reason: Reason::InvalidSpec.as_str(), note };
                context.teller.tell(&stored.object_ref(&()), &mut mind.told, &[happening]).await;
                Ok(None)
            }
        };
        tracing::debug!(again_in = ?pause.as_ref().ok(), "a turn is over");
        let outcome =
            pause.as_ref().map_or_else(Error::outcome, |_| if stored.0.is_ok() { "ok" } else { "unreadable" });
        context.tally.turn(K::Object::KIND, outcome, began.elapsed());
        let uid = meta.uid.as_deref().unwrap_or_default();
        let action = next(pause, uid, &mut mind);
        if !Stores::has(K::store(&context), meta) {
            // It went during its turn, and what was forgotten then may have been remembered again.
            wake::forget(&context, &relate::key::<K::Object>(meta), K::own(&context));
        }
        action
    };
    Ok(turn.instrument(span).await)
}

/// When the next turn is due.
fn next(pause: Result<Option<Duration>, Error>, seed: &str, mind: &mut Mind) -> Action {
    let error = match pause {
        Ok(pause) => {
            mind.failures = 0;
            return pause.map_or_else(Action::await_change, Action::requeue);
        }
        Err(error) => error,
    };
    match error {
        Error::Gone | Error::Terminating => {
            tracing::debug!(%error, "nothing is left to do");
            Action::await_change()
        }
        Error::Changed | Error::NotTheWriter => {
            tracing::debug!(%error, "looking again");
            Action::requeue(OVERTAKEN)
        }
        Error::Kube { .. } | Error::Late(_) => {
            mind.failures = mind.failures.saturating_add(1);
            let pause = requeue::pause(Meaning::Unavailable, mind.failures, None, seed);
            tracing::warn!(%error, failures = mind.failures, again_in = ?pause, "the turn ended early");
            Action::requeue(pause)
        }
    }
}

/// Whether a status says that all was as declared under this generation of the spec.
fn is_settled(status: &Common, generation: Option<i64>) -> bool {
    let ready = |said: &Condition| said.condition == ConditionType::Ready && said.truth == Truth::True;
    Some(status.observed_generation) == generation && status.conditions.iter().any(ready)
}

/// An object in the midst of its turn.
struct InTurn<'c, K: Kind> {
    context: &'c Context,
    mind: &'c mut Mind,
    key: ObjectKey,
    object: K::Object,
    memory: K::Memory,
    /// What the status said when it was last told of.
    before: K::Memory,
    requested: Option<String>,
    /// The status says nothing although turns were made: it was lost, and something may have been made.
    lost: bool,
    /// Uids of all objects of the kind that live.
    living: Arc<BTreeSet<String>>,
}

async fn turn<K: Kind>(object: K::Object, context: &Context, mind: &mut Mind) -> Result<Option<Duration>, Error> {
    context.may_write()?;
    let deleting = object.meta().deletion_timestamp.is_some();
    // The watch may show it for a while after it was released.
    if mind.released || deleting && !finalizer::is_on(&object) {
        return Ok(None);
    }
    let mut memory = K::memory(&object);
    let untouched = K::common(&mut memory).observed_generation < 0;
    mind.settled = !deleting && is_settled(K::common(&mut memory), object.meta().generation);
    let mut turn = InTurn::<K> {
        context,
        mind,
        key: relate::key::<K::Object>(object.meta()),
        lost: untouched && finalizer::is_on(&object),
        living: K::STANDS_FOR.map(|sort| context.living.of(sort)).unwrap_or_default(),
        before: memory.clone(),
        memory,
        requested: object.annotations().get(RECONCILE_REQUESTED_AT).cloned(),
        object,
    };
    let around = match K::dereference(context, &turn.object, &turn.memory) {
        Ok(around) => around,
        Err(unmet) => return turn.unmet(unmet).await,
    };
    let desired = match K::parse(&turn.object, &around) {
        Ok(desired) => desired,
        Err(invalid) => return turn.invalid(invalid).await,
    };
    let Some(site) = context.pool.site(&K::reached(&around).place) else {
        return turn.unmet(Unmet::soon("its account is being looked at")).await;
    };
    let paused = annotations(turn.object.annotations()).paused;
    if !deleting && !paused && !finalizer::is_on(&turn.object) {
        let put_on = finalizer::put_on(&turn.api(), &turn.object).await?;
        turn.wrote(put_on);
    }
    turn.go(&site, &around, &desired).await
}

impl<K: Kind> InTurn<'_, K> {
    /// The rounds, and what comes of them.
    async fn go(mut self, site: &Site, around: &K::Around, desired: &K::Desired) -> Result<Option<Duration>, Error> {
        let reached = K::reached(around);
        let asked = self.look_where_asked(site, around).await;
        self.look_anew(site, around).await;
        let mut looked = BTreeSet::new();
        let mut acted = Acted::default();
        let mut plan = asked.err().map(|failure| self.unreadable(reached, &failure));
        let mut unread = plan.is_some();
        for _ in 0..if unread { 0 } else { ROUNDS } {
            let now = clock::now();
            let laid = site.observer().laid();
            let view = self.view(around, desired, &laid, now);
            let planned = K::plan(&view);
            let found = planned.identity.is_some() && planned.identity != K::id(&self.memory);
            if planned.pin.is_some() || (found && !planned.released) {
                // What is about to be made, or was found or made, stands in the status before anything else.
                let memory = K::report(&view, &planned);
                self.write(memory, &planned, true).await?;
                continue;
            }
            if !planned.looks.is_empty() {
                looked.extend(planned.looks.iter().map(|look| look.facet.clone()));
                let Err(failure) = site.observer().look(&planned.looks).await else {
                    self.mind.unreadable_since = None;
                    continue;
                };
                plan = Some(self.unreadable(reached, &failure));
                unread = true;
                break;
            }
            acted = self.act(site, reached, &planned).await;
            plan = Some(planned);
            if !acted.answered || acted.more || self.context.stop.is_requested() {
                break;
            }
        }
        let mut plan = plan.unwrap_or_else(|| Plan::saying(Next::Moving { since: None }, []));
        let rests = plan.next == Next::Settled
            || matches!(plan.next, Next::At(_)) && plan.says(ConditionType::Ready, Truth::True);
        if !plan.released
            && rests
            && !annotations(self.object.annotations()).paused
            && let Some((since, failure)) = site.observer().blind(K::SEEN_AMONG)
        {
            // Nothing is known to have changed because nothing is seen.
            let unreadable = Plan::unreadable(&failure, K::common(&mut self.memory), since, clock::now());
            plan = Plan { next: Next::Others, ..unreadable };
        }
        if acted.queued && matches!(plan.next, Next::Moving { .. }) {
            // Nothing moves for it until its turn at the gate comes, and that wakes it.
            plan.next = Next::At(clock::now() + QUEUED);
        }
        if unread && plan.says(ConditionType::Stalled, Truth::True) && self.object.meta().deletion_timestamp.is_some() {
            let why = plan.sayings.iter().map(|saying| saying.message.clone()).next().unwrap_or_default();
            if K::deletion(&self.object) == Deletion::Retain {
                return self.leave(&why).await;
            }
            for saying in &mut plan.sayings {
                saying.message.push_str("; deletion waits: set deletionPolicy: Retain to leave the cloud as it is");
            }
        }
        self.follow(site, &plan, looked);
        if plan.released {
            return self.release(&plan).await;
        }
        let deferred = self.report(site, around, desired, plan.clone()).await?;
        self.mind.looked_at = true;
        let now = clock::now();
        let pause = requeue::after(plan.next, now, &self.key.uid);
        let end = K::ends(desired).filter(|end| *end > now).map(|end| end.since(now));
        let queued = acted.queued.then_some(QUEUED);
        let more = acted.more.then_some(Duration::ZERO);
        Ok([pause, deferred, end, queued, more].into_iter().flatten().min())
    }

    fn view<'t>(&'t self, around: &'t K::Around, desired: &'t K::Desired, laid: &'t Laid, now: Moment) -> Turn<'t, K> {
        Turn {
            desired,
            memory: &self.memory,
            around,
            laid,
            tries: &self.mind.tries,
            living: &self.living,
            started: self.context.started(),
            now,
        }
    }

    /// What a read that failed means for the object.
    fn unreadable(&mut self, reached: &Reached, failure: &Failure) -> Plan {
        tracing::info!(code = failure.code, request_id = failure.request_id, "a look failed: {failure}");
        if matches!(failure.meaning, Meaning::Credentials(_)) {
            account::doubt(self.context, &reached.account);
        }
        let now = clock::now();
        let since = *self.mind.unreadable_since.get_or_insert(now);
        Plan::unreadable(failure, K::common(&mut self.memory), since, now)
    }

    /// New credentials, or a person who asks: what was refused before is tried again, and for a person all is
    /// looked at anew.
    async fn look_where_asked(&mut self, site: &Site, around: &K::Around) -> Result<(), Failure> {
        let epoch = K::reached(around).epoch;
        let handled = &K::common(&mut self.memory).last_handled_reconcile_at;
        let asked = self.requested.is_some() && self.requested != *handled && self.requested != self.mind.requested;
        if asked || epoch != self.mind.epoch {
            self.mind.tries.forget();
            self.mind.epoch = epoch;
        }
        if !asked {
            return Ok(());
        }
        let now = clock::now();
        let looks = K::parts(around, &self.memory).into_iter().map(|facet| Look { facet, not_older_than: now });
        let looked = site.observer().look(&looks.collect::<Vec<_>>()).await;
        if looked.is_ok() {
            self.mind.requested.clone_from(&self.requested);
        } else {
            // The request stays open until all has been seen.
            self.requested = None;
        }
        looked
    }

    /// Under a spec on which nothing was decided yet, what was seen minutes ago is seen again.
    async fn look_anew(&mut self, site: &Site, around: &K::Around) {
        let generation = self.object.meta().generation.unwrap_or_default();
        if K::common(&mut self.memory).observed_generation < generation {
            self.look_at(site, K::anew(around), clock::now() - RECENT).await;
        }
    }

    /// Looks at parts that no decision waits for: what fails here fails again where a plan needs it, and is told
    /// there.
    async fn look_at(&self, site: &Site, parts: Vec<FacetKey>, not_older_than: Moment) {
        let looks: Vec<Look> = parts.into_iter().map(|facet| Look { facet, not_older_than }).collect();
        if let Err(failure) = site.observer().look(&looks).await {
            tracing::debug!(code = failure.code, "a look failed: {failure}");
        }
    }

    async fn act(&mut self, site: &Site, reached: &Reached, plan: &Plan) -> Acted {
        let generation = self.object.meta().generation.unwrap_or_default();
        act(self.context, site, &reached.account, &self.key, generation, self.mind, &plan.steps).await
    }

    /// While something moves, what this turn looked at is polled for it, together with all that others wait for.
    fn follow(&self, site: &Site, plan: &Plan, looked: BTreeSet<FacetKey>) {
        let moves = matches!(plan.next, Next::Moving { .. }) && !plan.released;
        if !moves {
            site.observer().follow(&self.key, BTreeSet::new());
        } else if !looked.is_empty() {
            site.observer().follow(&self.key, looked);
        }
        // What the status says alone may be a copy of another's: only what was found to be this object's is its own.
        if plan.identity.is_none() && !plan.released {
            return;
        }
        let Some(sort) = K::STANDS_FOR else { return };
        let id = if plan.released { None } else { K::id(&self.memory) };
        if let Some(ids) = self.context.managed.put(site.place(), sort, id.as_ref(), &self.name()) {
            site.observer().manage(ids);
        }
    }

    /// Nothing is polled for it any more, and it waits at no gate, wherever its account has led.
    fn rest(&self) {
        for site in self.context.pool.sites() {
            site.gate().retain(&self.key, &[]);
            site.observer().follow(&self.key, BTreeSet::new());
        }
    }

    /// Publishes, reports, writes and tells; gives when counts that were held back are due.
    async fn report(
        &mut self,
        site: &Site,
        around: &K::Around,
        desired: &K::Desired,
        mut plan: Plan,
    ) -> Result<Option<Duration>, Error> {
        let now = clock::now();
        if plan.says(ConditionType::Ready, Truth::True) {
            self.look_at(site, K::untold(&self.memory, &site.observer().laid()), now).await;
        }
        let laid = site.observer().laid();
        let mut memory = K::report(&self.view(around, desired, &laid, now), &plan);
        let mut again = None;
        if self.object.meta().deletion_timestamp.is_none()
            && let Err(unpublished) = K::publish(self.context, &self.object, &memory).await
        {
            // What is in the way may go without anybody telling us.
            again = Some(UNPUBLISHED);
            if unpublished.passes {
                tracing::warn!("{}", unpublished.message);
            } else {
                plan.sayings.retain(|saying| saying.condition != ConditionType::Valid);
                plan.sayings.push(say(ConditionType::Valid, Truth::False, unpublished.reason, unpublished.message));
                memory = K::report(&self.view(around, desired, &laid, now), &plan);
            }
        }
        let due = K::due(&memory, now).map(|due| due.since(now));
        let deferred = self.write(memory, &plan, false).await?;
        self.tell(Vec::new()).await;
        Ok([deferred, again, due].into_iter().flatten().min())
    }

    /// What it refers to cannot be had now.
    async fn unmet(mut self, unmet: Unmet) -> Result<Option<Duration>, Error> {
        if unmet.fault != Fault::Soon {
            self.rest();
        }
        if self.object.meta().deletion_timestamp.is_some() {
            return self.go_without(unmet).await;
        }
        let generation = self.object.meta().generation.unwrap_or_default();
        let silent = match unmet.fault {
            Fault::Soon => true,
            // Whoever has just changed the spec is told why nothing comes of it.
            Fault::Others => K::stands(&self.memory) && K::common(&mut self.memory).observed_generation == generation,
            Fault::Own | Fault::Awaited | Fault::Moot => false,
        };
        if silent {
            tracing::debug!(reason = %unmet.reason, "waiting: {}", unmet.message);
            return Ok(None);
        }
        let mut plan = Plan::stuck(unmet.reason, unmet.message.clone());
        if unmet.fault == Fault::Own {
            plan.sayings.push(say(ConditionType::Valid, Truth::False, unmet.reason, unmet.message));
        } else {
            plan.sayings.retain(|saying| saying.condition != ConditionType::Stalled);
        }
        self.say(&plan).await
    }

    /// What was made stays, and nobody has been able to take our tags off it.
    async fn leave(&mut self, why: &str) -> Result<Option<Duration>, Error> {
        let left = K::left_behind(&self.object, &self.memory);
        let message = format!("{left}, as deletionPolicy: Retain asks and {why}");
        self.release(&Plan::released(Reason::Deleting, message)).await
    }

    /// A deletion that cannot reach the cloud: what shall stay, or was never made, keeps nobody.
    async fn go_without(mut self, unmet: Unmet) -> Result<Option<Duration>, Error> {
        if annotations(self.object.annotations()).paused {
            let message = "paused by the annotation privatelink.dev/paused: deletion waits until it is removed";
            return self.say(&Plan::stuck(Reason::Paused, message)).await;
        }
        if unmet.fault == Fault::Moot {
            return self.release(&Plan::released(Reason::Deleting, unmet.message)).await;
        }
        if K::deletion(&self.object) == Deletion::Retain {
            return self.leave(&unmet.message).await;
        }
        let written = K::common(&mut self.memory).observed_generation >= 0;
        if written && !K::may_exist(&self.object, &self.memory) {
            return self.release(&Plan::released(Reason::Deleting, "nothing was made for this object")).await;
        }
        if unmet.fault == Fault::Soon {
            return Ok(None);
        }
        let message =
            format!("{}: deletion waits; set deletionPolicy: Retain to leave the cloud as it is", unmet.message);
        self.say(&Plan::stuck(unmet.reason, message)).await
    }

    async fn invalid(mut self, invalid: Invalid) -> Result<Option<Duration>, Error> {
        self.rest();
        let mut plan = Plan::stuck(invalid.reason, invalid.message.clone());
        plan.sayings.push(say(ConditionType::Valid, Truth::False, invalid.reason, invalid.message));
        self.say(&plan).await
    }

    /// Says what a plan says, without having looked at the cloud; whatever it waits for wakes the object.
    async fn say(&mut self, plan: &Plan) -> Result<Option<Duration>, Error> {
        let memory = self.said(plan);
        self.write(memory, plan, true).await?;
        self.tell(Vec::new()).await;
        Ok(None)
    }

    fn said(&mut self, plan: &Plan) -> K::Memory {
        let generation = self.object.meta().generation.unwrap_or_default();
        let mut memory = self.memory.clone();
        let said = report::common(K::common(&mut memory), generation, plan, &self.mind.tries, clock::now());
        *K::common(&mut memory) = said;
        memory
    }

    /// Nothing is left to do in the cloud: the object may go.
    async fn release(&mut self, plan: &Plan) -> Result<Option<Duration>, Error> {
        self.rest();
        let told = plan.sayings.iter().find(|saying| saying.condition == ConditionType::Ready);
        let happenings = told.map(|saying| Happening {
            normal: saying.reason == Reason::Deleting,
            reason: "Released",
            note: saying.message.clone(),
        });
        self.tell(happenings.into_iter().collect()).await;
        if let Some(sort) = K::STANDS_FOR {
            for place in self.context.managed.places_of(sort, &self.name()) {
                let ids = self.context.managed.put(&place, sort, None, &self.name());
                if let (Some(ids), Some(site)) = (ids, self.context.pool.site(&place)) {
                    site.observer().manage(ids);
                }
            }
        }
        self.context.may_write()?;
        finalizer::take_off(&self.api(), &self.object).await?;
        self.mind.released = true;
        tracing::info!("released");
        Ok(None)
    }

    /// Writes the status if it differs; where only counts do, not every time: gives when they are due then.
    async fn write(&mut self, mut memory: K::Memory, plan: &Plan, at_once: bool) -> Result<Option<Duration>, Error> {
        if self.requested.is_some() && K::has_decided(plan) {
            K::common(&mut memory).last_handled_reconcile_at.clone_from(&self.requested);
        }
        if self.lost && !K::is_found(&self.object, &memory) {
            // It must not look like the status of an object for which nothing was made.
            K::common(&mut memory).observed_generation = -1;
        }
        let status = K::status(&memory, &self.object);
        self.memory = memory;
        let current = K::current(&self.object);
        if current == Some(&status) {
            return Ok(None);
        }
        let only_counts = current.is_some_and(|current| K::without_counts(current) == K::without_counts(&status));
        if only_counts && !at_once {
            let due = self.mind.counted.map(|counted| counted + COUNTS).filter(|due| *due > Instant::now());
            if let Some(due) = due {
                // Nobody is told of what does not stand in the status.
                self.memory = K::memory(&self.object);
                return Ok(Some(due - Instant::now()));
            }
        }
        self.context.may_write()?;
        let written = status::write(&self.api(), &self.object, &status).await?;
        self.mind.counted = Some(Instant::now());
        self.wrote(written);
        Ok(None)
    }

    /// The answer of our last write is what the next one is computed from.
    fn wrote(&mut self, answer: K::Object) {
        K::own(self.context).wrote(&answer);
        self.memory = K::memory(&answer);
        self.object = answer;
    }

    async fn tell(&mut self, mut happenings: Vec<Happening>) {
        let own = K::happenings(&self.before, &self.memory);
        let said = transitions(K::common(&mut self.before), K::common(&mut self.memory));
        // What is told of each thing that it has happened to is not told of all of them, too.
        happenings.extend(said.into_iter().filter(|said| own.iter().all(|one| one.reason != said.reason)));
        happenings.extend(own);
        let reference = self.object.object_ref(&());
        self.context.teller.tell(&reference, &mut self.mind.told, &happenings).await;
    }

    fn api(&self) -> kube::Api<K::Object> {
        K::api(self.context, &self.key.namespace)
    }

    fn name(&self) -> Name {
        (self.key.namespace.clone(), self.key.name.clone())
    }
}
