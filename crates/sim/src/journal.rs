//! What happened, beside what is: the calls, counters, the times of objects, and the witness of legs.
//!
//! Memory is bounded, whatever callers send: the last [`CALLS_KEPT`] calls are kept with texts of at most
//! [`TEXT_KEPT`] bytes, counters are exact for ever and know no word that a caller made up.

pub mod witness;

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::world::call::ObjectId;
use crate::world::object::LegStatus;
use crate::world::{AccountId, EndpointId, Refusal, ServiceId, State, ZoneId};
use witness::Witness;

/// Calls that are kept in full.
pub const CALLS_KEPT: usize = 10_000;
/// What a call to an action is written down as that this cloud does not have.
pub const UNKNOWN_ACTION: &str = "<unknown>";
/// Longest text of a caller that is kept, in bytes; the rest is cut off.
pub const TEXT_KEPT: usize = 256;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// 1 for the first call of the run.
    pub sequence: u64,
    /// The world's time when it arrived.
    pub at: Timestamp,
    /// Account of its key; 0 where the signature was refused.
    pub account: u64,
    /// Action, or [`UNKNOWN_ACTION`].
    pub action: String,
    /// Such as `POST`.
    pub method: String,
    /// Id of the key that it names, where there is such a key; also where the signature was refused.
    pub key: Option<String>,
    /// Where it says what proves its caller.
    pub proof: Proof,
    /// SHA-256 of the parameters that tell it from other calls, in 64 hexadecimal digits.
    pub parameters: String,
    /// Client token.
    pub token: Option<String>,
    /// Id in its answer.
    pub request_id: String,
    /// `OK` or the code of the refusal, of lost calls too.
    pub code: String,
    /// The world's own word for the refusal, where the world refused it.
    #[serde(serialize_with = "own_word")]
    pub refusal: Option<Refusal>,
    /// What it did.
    pub effect: Effect,
    /// What became of it on the wire.
    pub wire: Wire,
    /// How long its answer was held back, in milliseconds.
    pub latency_ms: u64,
}

#[expect(clippy::ref_option, reason = "serde hands the field over like this")]
fn own_word<S: Serializer>(refusal: &Option<Refusal>, out: S) -> Result<S::Ok, S::Error> {
    refusal.map(|refusal| format!("{refusal:?}")).serialize(out)
}

/// Where a call says what proves its caller: its signature, its OIDC token, or its token of the metadata service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Proof {
    /// Nowhere.
    None,
    /// In headers.
    Headers,
    /// In the query.
    Query,
    /// In the form of its body.
    Body,
}

/// What a call did to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// Nothing: it read, was refused, or ran dry.
    None,
    /// It was carried out.
    Applied,
    /// A call of the same token had been carried out before.
    Repeated,
}

/// What became of a call on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Wire {
    /// Answered.
    Answered,
    /// Never arrived.
    RequestLost,
    /// Carried out, its answer lost.
    AnswerLost,
}

fn cut(text: &mut String) {
    if text.len() > TEXT_KEPT {
        *text = text[..text.floor_char_boundary(TEXT_KEPT)].to_owned();
    }
}

/// The history of one run.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    calls: VecDeque<Call>,
    recorded: u64,
    counters: BTreeMap<(String, String), u64>,
    services: BTreeMap<ServiceId, Timestamp>,
    endpoints: BTreeMap<EndpointId, Times>,
    witness: Witness,
}

#[derive(Clone, Debug)]
struct Times {
    created: Timestamp,
    modified: Timestamp,
    shown: Shown,
}

type Shown = (crate::world::Connection, Vec<(ZoneId, LegStatus)>);

impl Journal {
    /// The number of the next call.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.recorded + 1
    }

    /// Writes a call down, and counts it by `counted_as` where that is not its code.
    pub fn record(&mut self, mut call: Call, counted_as: Option<&str>) {
        self.recorded += 1;
        cut(&mut call.code);
        cut(&mut call.method);
        if let Some(token) = &mut call.token {
            cut(token);
        }
        let counted_as = counted_as.unwrap_or(&call.code).to_owned();
        *self.counters.entry((call.action.clone(), counted_as)).or_default() += 1;
        if self.calls.len() == CALLS_KEPT {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }

    /// Writes down what `state` shows of one object at `at`.
    pub fn observe(&mut self, state: &State, object: ObjectId, at: Timestamp) {
        match object {
            ObjectId::Service(id) => self.observe_service(state, id, at),
            ObjectId::Endpoint(id) => self.observe_endpoint(state, id, at),
        }
    }

    fn observe_service(&mut self, state: &State, id: ServiceId, at: Timestamp) {
        if state.services.contains_key(&id) {
            self.services.entry(id).or_insert(at);
        } else {
            self.services.remove(&id);
        }
    }

    fn observe_endpoint(&mut self, state: &State, id: EndpointId, at: Timestamp) {
        self.witness.observe(state, id, at);
        let Some(endpoint) = state.endpoints.get(&id) else {
            self.endpoints.remove(&id);
            return;
        };
        let legs = endpoint.zones.iter().map(|(zone, leg)| (*zone, leg.status)).collect();
        let shown = (endpoint.connection, legs);
        match self.endpoints.get_mut(&id) {
            None => {
                self.endpoints.insert(id, Times { created: at, modified: at, shown });
            }
            Some(times) if times.shown != shown => {
                times.shown = shown;
                times.modified = at;
            }
            Some(_) => {}
        }
    }

    /// The last calls, oldest first.
    #[must_use]
    pub fn calls(&self) -> impl DoubleEndedIterator<Item = &Call> {
        self.calls.iter()
    }

    /// How many calls of `action` ended with `code`.
    #[must_use]
    pub fn count(&self, action: &str, code: &str) -> u64 {
        self.counters.get(&(action.to_owned(), code.to_owned())).copied().unwrap_or(0)
    }

    /// How many calls ended how, by action and code.
    pub fn counters(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        self.counters.iter().map(|((action, code), count)| (action.as_str(), code.as_str(), *count))
    }

    /// How many calls of `account` to `action` were carried out, among those that are kept.
    #[must_use]
    pub fn applied(&self, account: AccountId, action: &str) -> usize {
        let of_it = |call: &&Call| call.account == account.0 && call.action == action;
        self.calls.iter().filter(of_it).filter(|call| call.effect == Effect::Applied).count()
    }

    /// When a service was made.
    #[must_use]
    pub fn service_created(&self, id: ServiceId) -> Option<Timestamp> {
        self.services.get(&id).copied()
    }

    /// When an endpoint was made.
    #[must_use]
    pub fn endpoint_created(&self, id: EndpointId) -> Option<Timestamp> {
        self.endpoints.get(&id).map(|times| times.created)
    }

    /// When an endpoint's connection or zones changed last.
    #[must_use]
    pub fn connection_modified(&self, id: EndpointId) -> Option<Timestamp> {
        self.endpoints.get(&id).map(|times| times.modified)
    }

    /// When legs carried traffic, and when none did.
    #[must_use]
    pub fn witness(&self) -> &Witness {
        &self.witness
    }
}
