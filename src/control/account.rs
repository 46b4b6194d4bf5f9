//! One turn of a `CloudAccount`: whose credentials are these, and who still needs them.
//!
//! The account is learnt from the cloud once and written down for ever; credentials of another one are never
//! used. Until they have answered in this process, and whenever they fail, that is said here, once, and the
//! objects of the account wait; those that are being deleted are served as long as the account can be.

mod access;
mod product;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use kube::runtime::controller::Action;
use kube::runtime::reflector::Store;
use kube::{Api, Resource, ResourceExt as _};
use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::id::AccountId;
use privatelink_core::moment::Moment;
use privatelink_core::observed::Facet;
use privatelink_core::place::Place;
use privatelink_core::plan::{Next, Plan, Saying, Tries, Truth, ready, say};
use privatelink_core::rate::Limits;
use privatelink_core::status::LastError;
use privatelink_core::{report, requeue};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::api::account::{CloudAccountSpec, CloudAccountStatus};
use crate::api::parse::{RECONCILE_REQUESTED_AT, annotations};
use crate::api::{CloudAccount, memory};
use crate::cloud::pool::Access;
use crate::cloud::renewal::Outlook;
use crate::runtime::clock;

use self::access::access;
use super::context::{Context, Mind, Name, Standing};
use super::error::Error;
use super::events::{Happening, transitions};
use super::finalizer;
use super::relate::{self, Placed};
use super::status;
use super::watch::{Guarded, Stores};

/// How often credentials that work are asked whose they are: they may be revoked or replaced outside of
/// Kubernetes, where no watch shows it.
const RECHECK: Duration = Duration::from_mins(10);
/// How often credentials that fail are tried again; a changed Secret is tried at once.
const FAILING: Duration = Duration::from_mins(1);
/// How often credentials are asked again at most because a call with them was refused.
const DOUBTFUL: Duration = Duration::from_secs(1);

/// When a turn that was overtaken by a change is made again, if the watch does not bring the change before.
const OVERTAKEN: Duration = Duration::from_secs(2);

/// Credentials that have answered, by the name of their account.
#[derive(Debug, Default)]
pub struct Answered(std::sync::Mutex<BTreeMap<String, Answer>>);

/// What credentials have answered.
#[derive(Clone, Debug)]
struct Answer {
    /// Which credentials, and under which spec.
    of: String,
    account: AccountId,
    at: Instant,
    epoch: u64,
    /// A call with them was refused since, as one of somebody unknown.
    doubted: bool,
}

impl Answered {
    fn get(&self, name: &str) -> Option<Answer> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(name).cloned()
    }

    fn put(&self, name: &str, answer: Answer) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(name.to_owned(), answer);
    }

    fn doubt(&self, name: &str) {
        if let Some(answer) = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_mut(name) {
            answer.doubted = true;
        }
    }

    fn forget(&self, name: &str) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(name);
    }
}

/// Why an account cannot be used.
#[derive(Debug)]
enum Trouble {
    /// The spec cannot be acted on.
    Spec(Reason, String),
    /// There are no credentials; what answered before still serves deletions.
    NoCredentials(String),
    /// The credentials are not this account's, or do not work: nothing is done with them.
    Refused(Reason, String, Option<Failure>),
    /// The cloud does not answer: what answered before still counts.
    Silent(Failure),
}

/// Looks after one account: one turn, and when the next is due.
///
/// # Errors
/// Never: what goes wrong decides when the next turn is due.
pub async fn reconcile(stored: Arc<Guarded<CloudAccount>>, context: Arc<Context>) -> Result<Action, Infallible> {
    let name = stored.meta().name.clone().unwrap_or_default();
    let span = tracing::info_span!("turn", kind = "CloudAccount", object = name);
    let turn = async {
        let mind = context.minds.of(stored.meta());
        let mut mind = mind.lock().await;
        let began = Instant::now();
        let pause = match &stored.0 {
            Ok(account) => Box::pin(turn(context.own.accounts.latest(account.clone()), &context, &mut mind)).await,
            Err(invalid) => {
                tracing::warn!(error = invalid.error, "the account cannot be read");
                let note = format!("the object cannot be read by this version and is left alone: {}", invalid.error);
                let happening = Happening { normal: false, reason: Reason::InvalidSpec.as_str(), note };
                context.teller.tell(&stored.object_ref(&()), &mut mind.told, &[happening]).await;
                Ok(RECHECK)
            }
        };
        let outcome =
            pause.as_ref().map_or_else(Error::outcome, |_| if stored.0.is_ok() { "ok" } else { "unreadable" });
        context.tally.turn("CloudAccount", outcome, began.elapsed());
        match pause {
            Ok(pause) => {
                mind.failures = 0;
                Action::requeue(pause)
            }
            Err(Error::Gone) => Action::await_change(),
            Err(error @ (Error::Changed | Error::NotTheWriter)) => {
                tracing::debug!(%error, "looking again");
                Action::requeue(OVERTAKEN)
            }
            Err(error) => {
                mind.failures = mind.failures.saturating_add(1);
                tracing::warn!(%error, "the turn ended early");
                Action::requeue(requeue::pause(Meaning::Unavailable, mind.failures, None, &name))
            }
        }
    };
    Ok(turn.instrument(span).await)
}

async fn turn(mut account: CloudAccount, context: &Context, mind: &mut Mind) -> Result<Duration, Error> {
    context.may_write()?;
    let name = account.name_any();
    let api = Api::<CloudAccount>::all(context.client.clone());
    let deleting = account.meta().deletion_timestamp.is_some();
    if deleting && !finalizer::is_on(&account) {
        forget(context, &name);
        return Err(Error::Gone);
    }
    if annotations(account.annotations()).paused {
        let message = "paused by the annotation privatelink.dev/paused: nothing is changed until it is removed";
        if context.standings.of(&name).is_none() {
            let trouble = Some((Reason::Paused, message.to_owned()));
            context.standings.set(&name, &Standing { trouble, ..Standing::default() });
        }
        let plan = Plan::saying(Next::Settled, [ready(Truth::Unknown, Reason::Paused, message)]);
        write(context, &api, account, mind, &plan, None, None).await?;
        return Ok(RECHECK);
    }
    if deleting {
        let holders = holders(context, &name);
        if holders.is_empty() {
            forget(context, &name);
            finalizer::take_off(&api, &account).await?;
            tracing::info!("released");
            return Err(Error::Gone);
        }
        return verify(context, &api, account.clone(), mind, Some(holders)).await;
    }
    if !finalizer::is_on(&account) {
        account = finalizer::put_on(&api, &account).await?;
        context.own.accounts.wrote(&account);
    }
    verify(context, &api, account, mind, None).await
}

/// A call for an object was refused because of its account's credentials: they are asked again, and what is wrong
/// with them is said at the account.
pub fn doubt(context: &Context, name: &str) {
    context.answered.doubt(name);
    context.wakes.accounts.wake([(String::new(), name.to_owned())]);
}

/// The account is gone: nothing is spoken with it any more.
fn forget(context: &Context, name: &str) {
    context.pool.remove(name);
    context.answered.forget(name);
    if context.standings.remove(name) {
        wake_objects(context, name);
    }
}

fn holders(context: &Context, name: &str) -> Vec<String> {
    let stores = &context.stores;
    let services = Stores::each(&stores.services, |service| Some(context.own.services.latest(service.clone())));
    let endpoints = Stores::each(&stores.endpoints, |endpoint| Some(context.own.endpoints.latest(endpoint.clone())));
    let entries = Stores::each(&stores.entries, |entry| Some(context.own.entries.latest(entry.clone())));
    let assignments = Stores::each(&stores.assignments, |one| Some(context.own.assignments.latest(one.clone())));
    relate::holders(name, &services, &endpoints, &entries, &assignments)
}

/// All objects of the account are to be looked at again.
pub fn wake_objects(context: &Context, name: &str) {
    let services = wake_kind(context, &context.stores.services, name);
    wake_kind(context, &context.stores.endpoints, name);
    context.wakes.entries.wake(services.iter().flat_map(|service| context.tenancies.entries(service)));
    context.wakes.assignments.wake(services.iter().flat_map(|service| context.tenancies.assignments(service)));
}

fn wake_kind<K>(context: &Context, store: &Store<Guarded<K>>, name: &str) -> Vec<Name>
where
    K: Placed + Clone + std::fmt::Debug + 'static,
{
    let of_account = Stores::each(store, |object| {
        let refers = relate::account_of(object.placement()) == name;
        refers.then(|| super::context::name(object))
    });
    context.wakes.of(K::SORT).wake(of_account.iter().cloned());
    of_account
}

/// Asks whose the credentials are, lets the account speak to its place or keeps it from it, and says so; gives when
/// they are to be asked again.
async fn verify(
    context: &Context,
    api: &Api<CloudAccount>,
    account: CloudAccount,
    mind: &mut Mind,
    holders: Option<Vec<String>>,
) -> Result<Duration, Error> {
    let (name, uid) = (account.name_any(), account.uid().unwrap_or_default());
    let requested = account.annotations().get(RECONCILE_REQUESTED_AT).cloned();
    let handled = account.status.as_ref().and_then(|status| status.common.last_handled_reconcile_at.clone());
    let asked = requested.is_some() && requested != handled && requested != mind.requested;
    if asked {
        mind.requested.clone_from(&requested);
    }
    let known = context.standings.of(&name).unwrap_or_default();
    let mut answer = identified(context, &account, asked).await?;
    let outlook = context.pool.look_after(&name).await;
    let now = clock::now();
    if let Some(failure) = outlook.failure.as_ref().filter(|_| answer.is_ok() && !outlook.lasts(now)) {
        answer = Err(unanswered(failure.clone(), true));
    }
    let turned = match &mut answer {
        Ok((place, answered, _)) if holders.is_none() => {
            let renewed = answered.epoch != known.epoch;
            if renewed {
                // New credentials, or a person who asks: what was refused before is tried again.
                mind.tries.forget();
                mind.product = Facet::Unseen;
            }
            // Nothing is changed there before the status says where it leads, nor with the keys from before.
            let site = context.pool.site(place).filter(|_| known.place.as_ref() == Some(&*place) && !renewed);
            let turned = product::turn(context, site.as_ref(), &account, mind).await;
            if turned.opened {
                answered.epoch += 1;
                // Should this turn fail yet, the next one still knows.
                context.answered.put(&name, answered.clone());
            }
            turned
        }
        _ => product::Turned::default(),
    };
    let common = account.status.as_ref().map(|status| memory::common(&status.common)).unwrap_or_default();
    let (mut plan, standing, failure) = match &answer {
        Ok((place, answered, _)) => {
            mind.unreadable_since = None;
            let plan = Plan::saying(Next::Settled, [answering(&place.account, &outlook), fits()]);
            let standing = Standing { place: Some(place.clone()), trouble: None, epoch: answered.epoch };
            (plan, standing, outlook.failure.clone())
        }
        Err(trouble) => troubled(trouble, &known, &common, mind, now),
    };
    plan.sayings.retain(|said| turned.sayings.iter().all(|other| other.condition != said.condition));
    plan.sayings.extend(turned.sayings);
    if let Some(holders) = holders {
        let message = format!("being deleted, and kept by {}", relate::listed(&holders));
        plan.sayings.retain(|saying| saying.condition == ConditionType::Valid);
        plan.sayings.push(ready(Truth::False, Reason::BlockedByDependents, message));
    }
    let pinned = answer.as_ref().ok().map(|(place, _, _)| place.account.clone());
    let pause = match &answer {
        Ok((_, answered, _)) if answered.doubted => DOUBTFUL,
        Ok(_) => outlook.due.map_or(RECHECK, |due| due.since(now).clamp(DOUBTFUL, RECHECK)),
        Err(Trouble::Silent(failure)) => {
            mind.silences = mind.silences.saturating_add(1);
            requeue::pause(failure.meaning, mind.silences, failure.retry_after, &uid).min(FAILING)
        }
        Err(_) => FAILING,
    };
    if !matches!(answer, Err(Trouble::Silent(_))) {
        mind.silences = 0;
    }
    let pause = turned.pause.map_or(pause, |sooner| sooner.min(pause));
    let account = write(context, api, account, mind, &plan, pinned, failure).await?;
    // Only what stands in the status is spoken with.
    match answer {
        Ok((place, answered, access)) => {
            let site = context.pool.put(&name, &place, &access, limits(&account.spec));
            if asked {
                site.observer().believe_vanished();
            }
            context.answered.put(&name, answered);
        }
        Err(_) if standing.place.is_none() => {
            context.pool.remove(&name);
            context.answered.forget(&name);
        }
        Err(_) => {}
    }
    if context.standings.set(&name, &standing) || asked {
        wake_objects(context, &name);
    }
    Ok(pause)
}

/// What is said of credentials that work: of those that end, and cannot be renewed, before it hurts.
fn answering(account: &AccountId, outlook: &Outlook) -> Saying {
    let told = format!("the credentials answer for account {account}");
    match (&outlook.failure, outlook.ends) {
        (Some(failure), Some(ends)) => {
            let ends = jiff::Timestamp::from_millisecond(ends.whole_second().0).unwrap_or_default();
            let told = format!("{told} until {ends} and cannot be renewed, which is tried again: {failure}");
            ready(Truth::True, Reason::CredentialsExpiring, told)
        }
        _ => ready(Truth::True, Reason::Ready, told),
    }
}

fn fits() -> Saying {
    say(ConditionType::Valid, Truth::True, Reason::Ready, "the spec can be acted on")
}

/// What trouble means: what is said, and who is still served.
fn troubled(
    trouble: &Trouble,
    known: &Standing,
    common: &privatelink_core::status::Common,
    mind: &mut Mind,
    now: Moment,
) -> (Plan, Standing, Option<Failure>) {
    let unusable = |place: Option<Place>, reason: Reason, message: &str| Standing {
        place,
        trouble: Some((reason, message.to_owned())),
        epoch: known.epoch,
    };
    match trouble {
        Trouble::Spec(reason, message) => {
            let mut plan = Plan::stuck(*reason, message.clone());
            plan.sayings.push(say(ConditionType::Valid, Truth::False, *reason, message.clone()));
            (plan, unusable(None, *reason, message), None)
        }
        Trouble::NoCredentials(message) => {
            let reason = Reason::CredentialsInvalid;
            let mut plan = Plan::stuck(reason, message.clone());
            plan.sayings.push(fits());
            (plan, unusable(known.place.clone(), reason, message), None)
        }
        Trouble::Refused(reason, message, failure) => {
            let mut plan = Plan::stuck(*reason, message.clone());
            plan.sayings.push(fits());
            (plan, unusable(None, *reason, message), failure.clone())
        }
        Trouble::Silent(failure) => {
            let since = *mind.unreadable_since.get_or_insert(now);
            let mut plan = Plan::unreadable(failure, common, since, now);
            if !plan.sayings.is_empty() {
                plan.sayings.push(fits());
            }
            let standing = if known.place.is_some() {
                known.clone()
            } else {
                unusable(None, Reason::CloudUnavailable, &format!("the cloud does not answer: {failure}"))
            };
            (plan, standing, Some(failure.clone()))
        }
    }
}

fn limits(spec: &CloudAccountSpec) -> Limits {
    let (declared, unset) = (spec.limits, Limits::default());
    Limits {
        per_second: declared.and_then(|limits| limits.requests_per_second).unwrap_or(unset.per_second),
        burst: declared.and_then(|limits| limits.burst).unwrap_or(unset.burst),
    }
}

/// Where the account leads, by what its credentials answer; they are not asked again before they have to be.
async fn identified(
    context: &Context,
    account: &CloudAccount,
    asked: bool,
) -> Result<Result<(Place, Answer, Access), Trouble>, Error> {
    let name = account.name_any();
    let (access, version) = match access(context, &account.spec).await? {
        Ok(access) => access,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let of = format!("{version}/{}", account.meta().generation.unwrap_or_default());
    let known = context.answered.get(&name);
    let same = known.as_ref().filter(|answer| answer.of == of);
    let next_epoch = known.as_ref().map_or(1, |answer| answer.epoch + 1);
    let answer = match same {
        Some(answer) if !asked && answer.at.elapsed() < if answer.doubted { DOUBTFUL } else { RECHECK / 2 } => {
            answer.clone()
        }
        _ => match context.pool.identify(&name, &access).await {
            Ok(id) => {
                let epoch = same.filter(|_| !asked).map_or(next_epoch, |answer| answer.epoch);
                Answer { of, account: id, at: Instant::now(), epoch, doubted: false }
            }
            Err(failure) => return Ok(Err(unanswered(failure, same.is_some()))),
        },
    };
    let status = account.status.as_ref().and_then(|status| status.account_id.as_deref());
    let expected = [("status.accountId", status), ("spec.accountId", account.spec.account_id.as_deref())];
    for (field, expected) in expected {
        if let Some(expected) = expected.filter(|expected| *expected != answer.account.as_str()) {
            let message = format!(
                "the credentials belong to account {}, and {field} is {expected}: nothing is read or written with them; \
                 give credentials of account {expected}",
                answer.account
            );
            return Ok(Err(Trouble::Refused(Reason::AccountMismatch, message, None)));
        }
    }
    let place = Place { cloud: access.cloud, account: answer.account.clone(), region: access.region.clone() };
    Ok(Ok((place, answer, access)))
}

/// What a failed question for the account means; credentials that answered before are not given up for silence.
fn unanswered(failure: Failure, answered_before: bool) -> Trouble {
    let told = |reason| {
        let what = match reason {
            Reason::CredentialsInvalid => "the cloud refuses the credentials",
            _ => "the cloud does not say whose the credentials are",
        };
        Trouble::Refused(reason, format!("{what}: {failure}"), Some(failure.clone()))
    };
    match failure.meaning {
        Meaning::Credentials(reason) | Meaning::UserMustAct(reason) => told(reason),
        Meaning::Waiting(reason) if !answered_before => told(reason),
        _ => Trouble::Silent(failure),
    }
}

/// Writes the status where it differs, and tells what has changed.
async fn write(
    context: &Context,
    api: &Api<CloudAccount>,
    account: CloudAccount,
    mind: &mut Mind,
    plan: &Plan,
    learnt: Option<AccountId>,
    failure: Option<Failure>,
) -> Result<CloudAccount, Error> {
    let current = account.status.clone().unwrap_or_default();
    let before = memory::common(&current.common);
    let generation = account.meta().generation.unwrap_or_default();
    let now = clock::now();
    let mut after = report::common(&before, generation, plan, &Tries::default(), now);
    if let Some(requested) = account.annotations().get(RECONCILE_REQUESTED_AT) {
        after.last_handled_reconcile_at = Some(requested.clone());
    }
    if let Some(failure) = failure {
        let known = |last: &LastError| last.code == failure.code && last.message == failure.message;
        if !after.last_error.as_ref().is_some_and(known) {
            let Failure { code, message, request_id, .. } = failure;
            after.last_error = Some(LastError { code, message, request_id, at: now.whole_second() });
        }
    }
    let next = CloudAccountStatus {
        common: memory::common_status(&after),
        // Learnt once, and never overwritten.
        account_id: current.account_id.clone().or_else(|| learnt.map(|learnt| learnt.to_string())),
        capabilities: current.capabilities.clone(),
    };
    if account.status.as_ref() == Some(&next) {
        return Ok(account);
    }
    context.may_write()?;
    let written = status::write(api, &account, &next).await?;
    context.own.accounts.wrote(&written);
    let reference = written.object_ref(&());
    context.teller.tell(&reference, &mut mind.told, &transitions(&before, &after)).await;
    Ok(written)
}
