//! One running cloud: the world, and beside it the clock, the timetable, the journal and what goes wrong.
//! Everything here is sync and waits for nobody; [`crate::server`] gives it to callers.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::alibaba::signature::Nonces;
use crate::clock::Clock;
use crate::fault::{Faults, Rates};
use crate::fixture::Fixture;
use crate::identity::Identities;
use crate::identity::session::Sessions;
use crate::journal::Journal;
use crate::keys::Keys;
use crate::random::Random;
use crate::throttle::Throttle;
use crate::timetable::Timetable;
use crate::touch;
use crate::world::call::ObjectId;
use crate::world::{self, Actor, Answer, Progress, Refusal, Request, Scope, Shared, State, TokenKey, Variant, settle};

/// Earlier states that stale reads are answered from.
const STATES_KEPT: usize = 8;

/// How a cloud runs.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What its clock shows at first.
    pub start: Timestamp,
    /// How many times as fast as the wall's the world's time runs; 0: it stands until it is moved.
    pub time_scale: f64,
    /// By how much the cloud's wall clock, which dates and ends go by, is ahead of everybody else's.
    pub clock_offset: SignedDuration,
    /// How long each answer is held back.
    pub latency: Duration,
    /// What goes wrong by chance.
    pub rates: Rates,
    /// Where all chance begins, where the rates name no seed of their own.
    pub seed: u64,
}

impl Options {
    /// A clock that stands at `start`, answers at once, nothing goes wrong.
    #[must_use]
    pub fn standing(start: Timestamp) -> Self {
        Self {
            start,
            time_scale: 0.0,
            clock_offset: SignedDuration::ZERO,
            latency: Duration::ZERO,
            rates: Rates::default(),
            seed: 0,
        }
    }
}

/// A running cloud.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// The world.
    state: State,
    /// Keys that callers sign with.
    pub keys: Keys,
    /// Who may become whom.
    pub identities: Identities,
    /// Its clock.
    pub clock: Clock,
    /// What goes wrong.
    pub faults: Faults,
    /// How many calls an account may make.
    pub throttle: Throttle,
    /// How long each answer is held back.
    pub latency: Duration,
    /// What happened.
    pub journal: Journal,
    pub(crate) nonces: Nonces,
    pub(crate) sessions: Sessions,
    timetable: Timetable,
    earlier: VecDeque<State>,
    tokens_in_flight: BTreeSet<TokenKey>,
    tokens_by_age: VecDeque<(Timestamp, TokenKey)>,
    request_ids: Random,
}

/// What a call keeps others from until its answer has left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Its scope.
    pub scope: Option<Scope>,
    /// Its client token.
    pub token: Option<TokenKey>,
}

impl Cloud {
    /// A cloud that begins as `fixture` says.
    #[must_use]
    pub fn new(fixture: Fixture, options: Options) -> Self {
        let seed = options.rates.seed.unwrap_or(options.seed);
        let mut clock = Clock::new(options.start, options.time_scale);
        clock.set_offset(options.clock_offset);
        Self {
            state: fixture.state,
            keys: fixture.keys,
            identities: fixture.identities,
            clock,
            faults: Faults::new(options.rates, seed),
            throttle: Throttle::new(fixture.limits, fixture.limits_of),
            latency: options.latency,
            journal: Journal::default(),
            nonces: Nonces::default(),
            sessions: Sessions::new(seed ^ 0x5365_7373_696F_6E73, fixture.durations.session),
            timetable: Timetable::new(fixture.durations),
            earlier: VecDeque::new(),
            tokens_in_flight: BTreeSet::new(),
            tokens_by_age: VecDeque::new(),
            request_ids: Random::new(seed ^ 0x5265_7175_6573_7449),
        }
    }

    /// The world, as it was when something last looked at the clock.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// One of the last calls, chosen by chance, for [`Cloud::state_before`].
    pub fn choose_earlier(&mut self) -> usize {
        self.faults.pick(self.earlier.len())
    }

    /// The state from before the call that was chosen; the present one where none is kept. Reads alone are
    /// answered from it: it holds no client tokens.
    #[must_use]
    pub fn state_before(&self, chosen: usize) -> &State {
        self.earlier.get(chosen).unwrap_or(&self.state)
    }

    /// Puts the world into another state, as of now.
    pub fn set_state(&mut self, state: State) {
        let mut touched = touch::everything(&self.state);
        touched.extend(touch::everything(&state));
        let before = without_tokens(&self.state);
        self.state = state;
        self.keep(before);
        self.look(&touched, self.clock.now());
    }

    /// Carries out a call; says its answer and whether that is the one its client token had before.
    ///
    /// # Errors
    /// The world's refusal; nothing has changed then.
    pub(crate) fn carry_out(&mut self, actor: Actor, request: &Request) -> Result<(Answer, bool), Refusal> {
        let token = request.token.as_ref().map(|token| (actor.account, request.region, token.clone()));
        let repeated = token.as_ref().is_some_and(|token| self.state.tokens.contains_key(token));
        let before = without_tokens(&self.state);
        let answer = world::carry_out(&mut self.state, actor, request)?;
        if !repeated {
            self.remember(token);
            self.keep(before);
            self.look(&touch::by_call(&self.state, &request.call, answer), self.clock.now());
        }
        Ok((answer, repeated))
    }

    /// Carries out a dry run; says its answer.
    ///
    /// # Errors
    /// The world's refusal.
    pub(crate) fn rehearse(&mut self, actor: Actor, request: &Request) -> Result<Answer, Refusal> {
        let token = request.token.as_ref().map(|token| (actor.account, request.region, token.clone()));
        let known = self.state.tokens.len();
        let answer = world::rehearse(&mut self.state, actor, request)?;
        if self.state.tokens.len() > known {
            self.remember(token);
        }
        Ok(answer)
    }

    /// Carries out what has become due.
    pub fn catch_up(&mut self) {
        let now = self.clock.now();
        self.forget_tokens(now);
        while let Some((at, transition)) = self.timetable.take(now) {
            self.progress(at, transition);
        }
    }

    /// Moves the world's time on by `by` and carries out what becomes due.
    pub fn advance(&mut self, by: SignedDuration) {
        self.clock.advance(by);
        self.catch_up();
    }

    /// Moves the world's time on until no transition is open; says how many there were.
    pub fn settle(&mut self) -> usize {
        self.catch_up();
        let mut settled = 0;
        while let Some((at, transition)) = self.timetable.take(Timestamp::MAX) {
            let ahead = at.duration_since(self.clock.now());
            self.clock.advance(ahead.max(SignedDuration::ZERO));
            self.progress(at, transition);
            settled += 1;
        }
        settled
    }

    /// How many transitions are open.
    #[must_use]
    pub fn open_transitions(&self) -> usize {
        self.timetable.open()
    }

    /// A call takes its places until [`Cloud::leave`].
    ///
    /// # Errors
    /// [`Refusal::ConcurrentCall`]; nothing is held then.
    pub fn enter(&mut self, scope: Option<Scope>) -> Result<(), Refusal> {
        self.state.enter(scope)
    }

    /// Whether a call of this client token is on its way; if not, it is from now on.
    pub fn enter_token(&mut self, token: &TokenKey) -> bool {
        self.tokens_in_flight.insert(token.clone())
    }

    /// A call gives its places back.
    pub fn leave(&mut self, held: &Held) {
        self.state.leave(held.scope);
        if let Some(token) = &held.token {
            self.tokens_in_flight.remove(token);
        }
    }

    /// The id of the next answer.
    pub fn next_request_id(&mut self) -> String {
        let (high, low) = (self.request_ids.bits(), self.request_ids.bits());
        let hex = format!("{high:016X}{low:016X}");
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }

    fn progress(&mut self, at: Timestamp, transition: Progress) {
        let touched = touch::by_progress(&self.state, transition);
        settle(&mut self.state, transition);
        self.look(&touched, at);
    }

    /// Keeps the state from before a change for stale reads.
    fn keep(&mut self, before: State) {
        if self.earlier.len() == STATES_KEPT {
            self.earlier.pop_front();
        }
        self.earlier.push_back(before);
    }

    /// Notes when a client token was used, in worlds that forget them.
    fn remember(&mut self, token: Option<TokenKey>) {
        if let Some(token) = token.filter(|_| lifetime(&self.state).is_some()) {
            self.tokens_by_age.push_back((self.clock.now(), token));
        }
    }

    fn forget_tokens(&mut self, now: Timestamp) {
        let Some(lifetime) = lifetime(&self.state) else { return };
        while self.tokens_by_age.front().is_some_and(|(used, _)| now.duration_since(*used) >= lifetime) {
            if let Some((_, token)) = self.tokens_by_age.pop_front() {
                self.state.tokens.remove(&token);
            }
        }
    }

    /// Lets timetable and journal see what became of the objects that a change touched.
    fn look(&mut self, touched: &[ObjectId], at: Timestamp) {
        for object in touched {
            self.timetable.update(&self.state, *object, at);
            self.journal.observe(&self.state, *object, at);
        }
    }
}

/// For how long the world remembers a client token; `None`: for ever.
fn lifetime(state: &State) -> Option<SignedDuration> {
    (state.variants.value(Variant::TokenLifetime) == "24h").then_some(SignedDuration::from_hours(24))
}

/// A copy for reads alone: without what no read looks at, which would be copied with every new token else.
fn without_tokens(state: &State) -> State {
    State { tokens: Shared::default(), in_flight: BTreeSet::new(), ..state.clone() }
}
