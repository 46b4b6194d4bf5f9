//! The metadata service of machines, as far as they get credentials there: plain paths below `/latest/`, answered
//! in plain text, with tokens of its own instead of signatures.
//!
//! Documented: the paths and headers, the bounds of a token's time and the 400 beyond them, 401 for a token that is
//! not right, 403 without one where the machine is hardened, 403 for a forwarded request for a token. Not
//! documented: 404 for a machine without the role, and when credentials are renewed ([`Variant::InstanceRenewal`]).

use jiff::SignedDuration;
use serde_json::Value;

use super::answer::{Form, Reply};
use super::{Outcome, delay_of, sts, wire_of};
use crate::cloud::{Cloud, Held};
use crate::fault::Fault;
use crate::identity::Instance;
use crate::identity::session::Asked;
use crate::inbound::Inbound;
use crate::journal::{self, Effect, Proof};
use crate::world::Variant;

/// Where all its paths begin.
pub const PREFIX: &str = "/latest/";

/// What a call for a token is written down as.
pub const CREATE_TOKEN: &str = "CreateMetadataToken";
/// What a call for the name of the machine's role is written down as.
pub const GET_ROLE: &str = "GetInstanceRole";
/// What a call for the credentials of the machine's role is written down as.
pub const GET_CREDENTIALS: &str = "GetInstanceCredentials";

const TOKEN_PATH: &str = "api/token";
const ROLE_PATH: &str = "meta-data/ram/security-credentials";
const TTL_HEADER: &str = "x-aliyun-ecs-metadata-token-ttl-seconds";
const TOKEN_HEADER: &str = "x-aliyun-ecs-metadata-token";

/// Longest time of a token, in seconds.
const LONGEST: i64 = 21_600;

/// A refusal: status, and the word that it is written down as.
type Refusal = (u16, String);

/// Takes one call and answers it on `cloud` as of now. As [`super::answer_call`] does for signed calls.
pub fn answer_call(cloud: &mut Cloud, inbound: &Inbound) -> Outcome {
    cloud.catch_up();
    let path = inbound.path.strip_prefix(PREFIX).unwrap_or_default();
    let role = path.strip_prefix(ROLE_PATH).map(|rest| rest.strip_prefix('/').unwrap_or(rest));
    let action = match (inbound.method.as_str(), path, role) {
        ("PUT", TOKEN_PATH, _) => Some(CREATE_TOKEN),
        ("GET", _, Some("")) => Some(GET_ROLE),
        ("GET", _, Some(_)) => Some(GET_CREDENTIALS),
        _ => None,
    };
    let fault = action.and_then(|action| cloud.faults.strike(action));
    let result = match (&fault, action) {
        (_, None) => Err((404, "NotFound".to_owned())),
        (Some(Fault::LoseRequest), _) => Err((400, "Lost".to_owned())),
        (Some(Fault::Throttle), _) => Err((429, "TooManyRequests".to_owned())),
        (Some(Fault::Refuse { code, status }), _) => Err((*status, code.clone())),
        (_, Some(CREATE_TOKEN)) => create_token(cloud, inbound),
        (_, Some(_)) => of_role(cloud, inbound, role.unwrap_or_default()),
    };
    let delay = delay_of(cloud, fault.as_ref());
    let wire = wire_of(fault.as_ref());
    let asked = inbound.header(TOKEN_HEADER).is_some();
    let call = journal::Call {
        sequence: cloud.journal.next_sequence(),
        at: cloud.clock.now(),
        account: cloud.identities.instance.as_ref().map_or(0, |instance| instance.account.0),
        action: action.unwrap_or(journal::UNKNOWN_ACTION).to_owned(),
        method: inbound.method.clone(),
        key: None,
        proof: if asked { Proof::Headers } else { Proof::None },
        parameters: String::new(),
        token: None,
        request_id: cloud.next_request_id(),
        code: result.as_ref().map_or_else(|(_, code)| code.clone(), |_| "OK".to_owned()),
        refusal: None,
        effect: Effect::None,
        wire,
        latency_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
    };
    cloud.journal.record(call, None);
    let (status, text) =
        result.map_or_else(|(status, code)| (status, format!("{status} - {code}")), |text| (200, text));
    let reply = Reply { form: Form::Text, status, body: Value::String(text), retry_after: None };
    Outcome { reply: (wire == journal::Wire::Answered).then_some(reply), delay, held: Held::default() }
}

fn refused<T>(status: u16, code: &str) -> Result<T, Refusal> {
    Err((status, code.to_owned()))
}

fn machine(cloud: &Cloud) -> Result<Instance, Refusal> {
    cloud.identities.instance.clone().ok_or_else(|| (404, "NotFound".to_owned()))
}

fn create_token(cloud: &mut Cloud, inbound: &Inbound) -> Result<String, Refusal> {
    machine(cloud)?;
    if inbound.header("x-forwarded-for").is_some() {
        return refused(403, "Forbidden");
    }
    let seconds = inbound.header(TTL_HEADER).and_then(|text| text.parse().ok());
    match seconds.filter(|seconds| (1..=LONGEST).contains(seconds)) {
        Some(seconds) => Ok(cloud.sessions.open_metadata(SignedDuration::from_secs(seconds), cloud.clock.wall())),
        None => refused(400, "MissingOrInvalidParameters"),
    }
}

/// The name of the machine's role; with that name, its credentials.
fn of_role(cloud: &mut Cloud, inbound: &Inbound, asked: &str) -> Result<String, Refusal> {
    let machine = machine(cloud)?;
    let wall = cloud.clock.wall();
    match inbound.header(TOKEN_HEADER) {
        Some(token) if cloud.sessions.is_metadata_token(&token, wall) => {}
        Some(_) => return refused(401, "Unauthorized"),
        None if machine.imdsv1 => {}
        None => return refused(403, "Forbidden"),
    }
    let Some(name) = machine.role else { return refused(404, "NotFound") };
    if asked.is_empty() {
        return Ok(name);
    }
    let role = cloud.identities.roles.get(&(machine.account, name.clone())).filter(|_| asked == name);
    let Some(role) = role else { return refused(404, "NotFound") };
    let session = "i-simulated".to_owned();
    let whose = Asked { account: machine.account, role: name, session, denied: role.denied.clone() };
    let renew = match cloud.state().variants.value(Variant::InstanceRenewal) {
        "lastQuarter" => 0.75,
        "end" => 1.0,
        _ => 0.5,
    };
    let Some(session) = cloud.sessions.of_instance(&mut cloud.keys, &whose, renew, wall) else {
        return refused(500, "InternalError");
    };
    let mut fields = sts::credentials(&session);
    fields["LastUpdated"] = sts::on_wire(session.issued).into();
    fields["Code"] = "Success".into();
    Ok(fields.to_string())
}
