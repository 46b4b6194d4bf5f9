//! The paths beside the clouds' own, under `/_sim/`: to look at the world and to move what no caller can.
//! They are not signed, and a server answers them to its own machine only.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::dump;
use crate::fault::Rule;
use crate::identity::jwt::KeySet;
use crate::inbound::Inbound;
use crate::keys::{Identity, Key, Secret, places};
use crate::world::{AccountId, Actor};

/// Where all control paths begin.
pub const PREFIX: &str = "/_sim/";

/// Every path, with what it does; `--help` prints it.
pub const PATHS: &str = "\
GET  /_sim/world     everything that exists, as JSON
GET  /_sim/journal   the last calls, counters by action and code, and when each zone carried traffic
POST /_sim/advance   {\"seconds\": 5} moves the world's time; {\"settle\": true} until nothing moves by itself
POST /_sim/account   {\"id\": 1001000000000001, \"locked\": true} changes what an account is or may
POST /_sim/key       {\"id\": \"k\", \"secret\": \"s\", \"account\": 1001000000000001} adds or replaces a key;
                     {\"id\": \"k\", \"remove\": true} takes it away
POST /_sim/oidc      {\"account\": 1001000000000001, \"provider\": \"cluster\", \"keys\": {\"keys\": [...]}} sets the JWKS of an OIDC
                     provider; \"issuer\" and \"audiences\" set those
POST /_sim/clock     {\"offset\": \"20m\"} sets the wall clock of this cloud wrong by so much, \"-20m\" back, \"0s\" right
POST /_sim/fault     {\"action\": \"CreateVpcEndpoint\", \"nth\": 1, \"do\": \"loseAnswer\"} lets one call go wrong:
                     loseAnswer, loseRequest, throttle, stale, {\"refuse\": {\"code\": \"SystemBusy\", \"status\": 400}}
                     or {\"delay\": {\"milliseconds\": 500}}; \"times\" strikes several calls in a row";

/// Status and body of the answer.
pub type Controlled = (u16, Value);

/// Carries out a call to a control path.
pub fn answer(cloud: &mut Cloud, inbound: &Inbound) -> Controlled {
    cloud.catch_up();
    let path = inbound.path.strip_prefix(PREFIX).unwrap_or_default();
    let result = match (inbound.method.as_str(), path) {
        ("GET", "world") => Ok(dump::world(cloud)),
        ("GET", "journal") => Ok(dump::journal(cloud)),
        ("POST", "advance") => read(inbound).and_then(|asked| advance(cloud, &asked)),
        ("POST", "account") => read(inbound).and_then(|change| change_account(cloud, &change)),
        ("POST", "key") => read(inbound).and_then(|change| change_key(cloud, change)),
        ("POST", "oidc") => read(inbound).and_then(|change| change_provider(cloud, change)),
        ("POST", "clock") => read(inbound).map(|ClockChange { offset }| {
            cloud.clock.set_offset(offset);
            json!({"wall": cloud.clock.wall().to_string()})
        }),
        ("POST", "fault") => read(inbound).map(|rule: Rule| {
            cloud.faults.add(rule);
            json!({})
        }),
        _ => {
            return (404, json!({"error": format!("there is no {} {}", inbound.method, inbound.path), "paths": PATHS}));
        }
    };
    result.map_or_else(|error| (400, json!({ "error": error })), |body| (200, body))
}

fn read<T: DeserializeOwned>(inbound: &Inbound) -> Result<T, String> {
    serde_json::from_slice(&inbound.body).map_err(|error| format!("the body of {}: {error}", inbound.path))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: Option<f64>,
    #[serde(default)]
    settle: bool,
}

fn advance(cloud: &mut Cloud, asked: &Advance) -> Result<Value, String> {
    if let Some(seconds) = asked.seconds {
        let by = SignedDuration::try_from_secs_f64(seconds).ok().filter(|by| !by.is_negative());
        cloud.advance(by.ok_or("seconds: it is 0 or more")?);
    }
    let settled = if asked.settle { cloud.settle() } else { 0 };
    Ok(json!({"now": cloud.clock.now().to_string(), "settled": settled, "openTransitions": cloud.open_transitions()}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AccountChange {
    id: u64,
    product_open: Option<bool>,
    locked: Option<bool>,
    vendor: Option<bool>,
    may_assign_resources: Option<bool>,
    may_pay_for_consumers: Option<bool>,
}

fn change_account(cloud: &mut Cloud, change: &AccountChange) -> Result<Value, String> {
    let mut state = cloud.state().clone();
    let account = state.accounts.get_mut(&AccountId(change.id));
    let account = account.ok_or_else(|| format!("id: there is no account {}; add it to the world file", change.id))?;
    let set = |flag: &mut bool, wanted: Option<bool>| *flag = wanted.unwrap_or(*flag);
    set(&mut account.product_open, change.product_open);
    set(&mut account.locked, change.locked);
    set(&mut account.vendor, change.vendor);
    set(&mut account.may_assign_resources, change.may_assign_resources);
    set(&mut account.may_pay_for_consumers, change.may_pay_for_consumers);
    cloud.set_state(state);
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct KeyChange {
    id: String,
    #[serde(default)]
    remove: bool,
    secret: Option<String>,
    account: Option<u64>,
    token: Option<String>,
    expires: Option<Timestamp>,
    identity: Option<String>,
    #[serde(default)]
    denied_actions: Vec<String>,
}

fn change_key(cloud: &mut Cloud, change: KeyChange) -> Result<Value, String> {
    if change.remove {
        let known = cloud.keys.remove(&change.id).is_some();
        return if known { Ok(json!({})) } else { Err(format!("id: there is no key {:?}", change.id)) };
    }
    let account = AccountId(change.account.ok_or("account: the account number is needed")?);
    if !cloud.state().accounts.contains_key(&account) {
        return Err(format!("account: there is no account {}; add it to the world file", account.0));
    }
    let identity = change.identity.as_deref().unwrap_or("root");
    let identity = Identity::parse(identity).ok_or("identity: write root, user/NAME or role/NAME/SESSION")?;
    let (place, role) =
        places(&cloud.keys, account, &identity).ok_or("identity: the account has too many; use one of them")?;
    let key = Key {
        secret: Secret::new(change.secret.ok_or("secret: it is needed")?),
        token: change.token.map(Secret::new),
        expires: change.expires,
        actor: Actor { account, identity: place, session: identity.is_session() },
        role,
        identity,
        denied: change.denied_actions.into_iter().collect(),
    };
    cloud.keys.insert(change.id, key);
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ProviderChange {
    account: u64,
    provider: String,
    issuer: Option<String>,
    audiences: Option<BTreeSet<String>>,
    keys: Option<KeySet>,
}

fn change_provider(cloud: &mut Cloud, change: ProviderChange) -> Result<Value, String> {
    let named = (AccountId(change.account), change.provider);
    let unknown =
        || format!("provider: account {} has no OIDC provider {:?}; add it to the world file", named.0.0, named.1);
    if let Some(Err((place, problem))) = change.keys.as_ref().map(KeySet::check) {
        return Err(format!("keys.{place}: {problem}; copy the provider's JWKS as it is"));
    }
    let provider = cloud.identities.providers.get_mut(&named).ok_or_else(unknown)?;
    provider.issuer = change.issuer.unwrap_or_else(|| std::mem::take(&mut provider.issuer));
    provider.audiences = change.audiences.unwrap_or_else(|| std::mem::take(&mut provider.audiences));
    provider.keys = change.keys.unwrap_or_else(|| std::mem::take(&mut provider.keys));
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ClockChange {
    offset: SignedDuration,
}
