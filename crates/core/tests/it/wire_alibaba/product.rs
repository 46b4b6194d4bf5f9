//! Switching the product on: what an account's turn does, by what the simulated cloud answers it.

use std::time::Duration;

use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::moment::Moment;
use privatelink_core::observed::Facet;
use privatelink_core::plan::account::{Opening, Product, is_open, plan};
use privatelink_core::plan::{Next, Plan, Tries, Truth};
use privatelink_core::read::{Answer, Done, Read};
use privatelink_core::step::{Exclusion, Step};
use privatelink_core::wire::alibaba::classify;
use privatelink_core::wire::alibaba::sign::Key;
use privatelink_sim::world::object::OpenBlock;

use super::dialect::{PROVIDER, Stage};

const CLOSED: Key<'static> = Key { id: "restricted-key", secret: "restricted-secret", token: None };
const START: Moment = Moment(1_000_000_000);
const GENERATION: i64 = 3;
const HOUR: Duration = Duration::from_hours(1);

/// One account's turns.
struct Turns {
    cloud: Stage,
    key: Key<'static>,
    asked: bool,
    open: Facet<bool>,
    tries: Tries,
    generation: i64,
    now: Moment,
    /// Reads and steps that were made.
    calls: Vec<&'static str>,
}

impl Turns {
    fn of(key: Key<'static>) -> Self {
        let (open, tries) = (Facet::Unseen, Tries::default());
        Self {
            cloud: Stage::new(),
            key,
            asked: true,
            open,
            tries,
            generation: GENERATION,
            now: START,
            calls: Vec::new(),
        }
    }

    fn barred(block: OpenBlock) -> Self {
        let mut turns = Self::of(CLOSED);
        turns.bar(Some(block));
        turns
    }

    fn bar(&mut self, block: Option<OpenBlock>) {
        let mut world = self.cloud.cloud.state().clone();
        let account = world.accounts.values_mut().find(|account| !account.product_open).expect("one that is closed");
        account.may_not_open = block;
        self.cloud.cloud.set_state(world);
    }

    fn decide(&self) -> Opening {
        plan(&Product {
            asked: self.asked,
            open: &self.open,
            tries: &self.tries,
            generation: self.generation,
            uid: "uid-1",
            now: self.now,
        })
    }

    fn settle(&mut self, result: Result<Done, Failure>) {
        self.tries.settle(&Step::OpenProduct, result, self.now, self.generation);
        self.open = Facet::Unseen;
    }

    /// One turn: it looks as long as it has to, and makes its step.
    fn turn(&mut self) -> Option<Plan> {
        for _ in 0..2 {
            match self.decide() {
                Opening::Nothing => return None,
                Opening::Look => {
                    self.calls.push("look");
                    let answer = self.cloud.read_with(&Read::Product, &self.key);
                    self.open = Facet::seen(self.now, is_open(answer).expect("it can be read"));
                }
                Opening::Plan(plan) => {
                    for planned in &plan.steps {
                        assert_eq!((&planned.step, &planned.token), (&Step::OpenProduct, &None));
                        self.calls.push("open");
                        let result = self.cloud.execute_with(&planned.step, &self.key);
                        self.settle(result);
                    }
                    return Some(*plan);
                }
            }
        }
        panic!("one look is enough: {:?}", self.decide());
    }

    fn made(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.calls)
    }
}

fn failure(meaning: Meaning, maybe_done: bool) -> Failure {
    Failure {
        meaning,
        code: "Code".to_owned(),
        message: "what it says".to_owned(),
        request_id: None,
        retry_after: None,
        maybe_done,
    }
}

fn message(plan: &Plan, condition: ConditionType) -> (Truth, Reason, &str) {
    let saying = plan.sayings.iter().find(|saying| saying.condition == condition).expect("said");
    (saying.truth, saying.reason, &saying.message)
}

#[test]
fn a_product_is_open_closed_or_unknown() {
    let mut cloud = Stage::new();
    assert_eq!(is_open(cloud.read_with(&Read::Product, &PROVIDER)), Ok(true));
    assert_eq!(is_open(cloud.read_with(&Read::Product, &CLOSED)), Ok(false));
    let nobody = Key { id: "nobodys", ..PROVIDER };
    let unknown = is_open(cloud.read_with(&Read::Product, &nobody)).expect_err("unknown");
    assert_eq!(unknown.meaning, Meaning::Credentials(Reason::CredentialsInvalid));
    let denied = failure(Meaning::UserMustAct(Reason::PermissionDenied), false);
    assert_eq!(is_open(Err(denied.clone())), Err(denied), "what may not be asked is not closed");
    let other = is_open(Ok(Answer::CallerIdentity("1001".into()))).expect_err("another answer");
    assert_eq!(other.meaning, Meaning::Unexpected);
}

#[test]
fn what_is_not_asked_for_is_neither_read_nor_said() {
    for open in [Facet::Unseen, Facet::seen(START, false), Facet::seen(START, true)] {
        let mut turns = Turns { asked: false, open, ..Turns::of(CLOSED) };
        assert_eq!(turns.turn(), None);
        turns.settle(Err(failure(Meaning::UserMustAct(Reason::BillingLocked), false)));
        assert_eq!((turns.turn(), turns.made()), (None, vec![]), "no earlier refusal is told");
    }
}

#[test]
fn an_open_product_is_read_once_and_left_alone() {
    let mut turns = Turns::of(PROVIDER);
    assert_eq!((turns.turn(), turns.made()), (None, vec!["look"]));
    turns.now = START + 48 * HOUR;
    assert_eq!((turns.turn(), turns.made()), (None, vec![]));
}

#[test]
fn a_closed_product_is_opened_by_one_step() {
    let mut turns = Turns::of(CLOSED);
    let plan = turns.turn().expect("a plan");
    assert_eq!(turns.made(), ["look", "open"]);
    assert_eq!((plan.steps.len(), plan.next), (1, Next::Moving { since: None }));
    assert_eq!(message(&plan, ConditionType::Reconciling).1, Reason::Provisioning);
    assert!(!plan.sayings.iter().any(|saying| saying.condition == ConditionType::Ready), "{plan:?}");
    assert_eq!((turns.turn(), turns.made()), (None, vec!["look"]), "it is open");
    assert_eq!(Step::OpenProduct.exclusion(), Exclusion::Account, "no account is opened twice at once");
}

#[test]
fn a_step_needs_a_fresh_look() {
    let mut turns = Turns { open: Facet::seen(START, false), ..Turns::of(CLOSED) };
    turns.now = START + Duration::from_secs(59);
    assert!(matches!(turns.decide(), Opening::Plan(plan) if plan.steps.len() == 1));
    turns.now = START + Duration::from_mins(1);
    assert_eq!(turns.decide(), Opening::Look);
}

#[test]
fn opening_what_was_opened_meanwhile_is_done() {
    let mut turns = Turns { open: Facet::seen(START, false), ..Turns::of(PROVIDER) };
    turns.turn().expect("a plan");
    assert_eq!(turns.made(), ["open"]);
    assert_eq!(turns.tries.refusal(&Step::OpenProduct, GENERATION, START), None, "OrderOpend is no refusal");
    assert_eq!((turns.turn(), turns.made()), (None, vec!["look"]));
}

#[test]
fn what_a_person_must_do_is_said_with_the_remedy_and_tried_again_every_hour() {
    for (block, code, remedy) in [
        (OpenBlock::Balance, "InvalidAccountStatus.NotEnoughBalance", "charge the account"),
        (OpenBlock::AccountType, "AccountTypeRestricted", "with the account that pays"),
    ] {
        let mut turns = Turns::barred(block);
        turns.turn().expect("a step");
        assert_eq!(turns.made(), ["look", "open"], "{code}");
        let stuck = turns.turn().expect("said");
        assert_eq!((stuck.steps.len(), stuck.next), (0, Next::Person), "{code}");
        for (condition, truth) in [(ConditionType::Ready, Truth::False), (ConditionType::Stalled, Truth::True)] {
            let (said, reason, text) = message(&stuck, condition);
            assert_eq!((said, reason), (truth, Reason::FeatureNotEnabled), "{code}");
            assert!(text.starts_with(&format!("OpenProduct of the product: {code}: ")), "{text}");
            assert!(text.contains(remedy), "{text}");
        }
        turns.made();
        turns.now = START + HOUR - Duration::from_secs(1);
        assert_eq!(turns.turn().map(|plan| plan.sayings), Some(stuck.sayings), "{code}");
        assert_eq!(turns.made(), Vec::<&str>::new(), "{code}");
        turns.bar(None);
        turns.now = START + HOUR;
        turns.turn().expect("a step");
        assert_eq!((turns.made(), turns.turn()), (vec!["look", "open"], None), "{code}");
    }
}

#[test]
fn another_spec_or_a_person_who_asks_tries_at_once() {
    let refused = || {
        let mut turns = Turns::barred(OpenBlock::Balance);
        turns.turn().expect("a step");
        turns.turn().expect("said");
        turns.made();
        turns
    };
    let mut edited = refused();
    edited.generation += 1;
    edited.turn().expect("a step");
    assert_eq!(edited.made(), ["open"]);
    let mut asked = refused();
    asked.tries.forget();
    asked.open = Facet::Unseen;
    asked.turn().expect("a step");
    assert_eq!(asked.made(), ["look", "open"]);
}

/// Whatever refuses the step, something is said or tried again by itself, and never silently for ever.
#[test]
fn each_meaning_of_a_refusal_has_its_word() {
    let ready = ConditionType::Ready;
    let moving = ConditionType::Reconciling;
    for (meaning, condition, reason) in [
        (Meaning::UserMustAct(Reason::PermissionDenied), ready, Reason::FeatureNotEnabled),
        (Meaning::UserMustAct(Reason::BillingLocked), ready, Reason::FeatureNotEnabled),
        (Meaning::Waiting(Reason::QuotaExceeded), ready, Reason::FeatureNotEnabled),
        (Meaning::Credentials(Reason::CredentialsInvalid), ready, Reason::CredentialsInvalid),
        (Meaning::Credentials(Reason::ClockSkew), ready, Reason::ClockSkew),
        (Meaning::Unexpected, ready, Reason::UnexpectedError),
        (Meaning::Throttled, moving, Reason::Throttled),
        (Meaning::Unavailable, moving, Reason::CloudUnavailable),
        (Meaning::InTransition, moving, Reason::Provisioning),
        (Meaning::Gone, moving, Reason::Provisioning),
        (Meaning::DryRun, moving, Reason::Provisioning),
        (Meaning::TokenReused, moving, Reason::Provisioning),
    ] {
        let mut turns = Turns { open: Facet::seen(START, false), ..Turns::of(CLOSED) };
        turns.tries.settle(&Step::OpenProduct, Err(failure(meaning, false)), START, GENERATION);
        let Opening::Plan(plan) = turns.decide() else { panic!("{meaning:?}") };
        assert_eq!(message(&plan, condition).1, reason, "{meaning:?}");
        assert!(message(&plan, condition).2.contains("what it says"), "{meaning:?}");
        let due = match plan.next {
            Next::At(due) => due,
            Next::Person => START + HOUR,
            // A dry run and a used token are due at once.
            _ => START,
        };
        assert_eq!(plan.steps.len(), usize::from(due == START), "{meaning:?}");
        turns.now = due;
        turns.open = Facet::seen(due, false);
        let Opening::Plan(plan) = turns.decide() else { panic!("{meaning:?}") };
        assert_eq!(plan.steps.len(), 1, "{meaning:?} is due");
    }
}

#[test]
fn a_call_without_an_answer_is_looked_after_before_it_is_repeated() {
    let mut turns = Turns::of(CLOSED);
    turns.open = Facet::seen(START, false);
    turns.now = START + Duration::from_secs(10);
    turns.cloud.execute_with(&Step::OpenProduct, &CLOSED).expect("it had its effect");
    let lost = failure(Meaning::Unavailable, true);
    turns.tries.settle(&Step::OpenProduct, Err(lost), turns.now, GENERATION);
    assert_eq!(turns.decide(), Opening::Look, "what was seen before the call says nothing about it");
    assert_eq!((turns.turn(), turns.made()), (None, vec!["look"]));
}

#[test]
fn the_remedy_of_a_closed_product_names_both_ways_to_open_it() {
    for action in ["CheckProductOpen", "CreateVpcEndpoint", "CreateVpcEndpointService"] {
        let text = classify::explain(action, "NeedOpenProduct", "");
        for way in ["https://common-buy.aliyun.com/?commodityCode=privatelink", "alibaba.openProduct: true"] {
            assert!(text.contains(way), "{text}");
        }
    }
}
