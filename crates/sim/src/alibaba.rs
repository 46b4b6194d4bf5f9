//! Alibaba Cloud's dialect: RPC calls over HTTP, signed, flattened, answered in JSON.
//!
//! [`answer_call`] is the way of one call: gateway, signature, rate, faults, parameters, world, answer.

pub mod answer;
pub mod decode;
pub mod description;
pub mod gateway;
pub mod metadata;
pub mod name;
pub mod page;
pub mod params;
pub mod read;
pub mod refuse;
pub mod signature;
pub mod sts;
pub mod text;
pub mod word;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::cloud::{Cloud, Held};
use crate::fault::Fault;
use crate::inbound::Inbound;
use crate::journal::{self, Effect, Proof, Wire};
use crate::keys::Key;
use crate::world::{AccountId, Actor, Answer, Refusal, RegionId, Request, Variant, Variants};
use answer::Reply;
use description::Action;
use gateway::Failure;
use params::Params;
use read::View;

/// What became of a call.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its answer; `None`: the caller never gets one.
    pub reply: Option<Reply>,
    /// How long the answer is held back.
    pub delay: Duration,
    /// What it keeps others from until then.
    pub held: Held,
}

/// Takes one call and carries it out on `cloud` as of now. The caller of this function holds the answer back
/// for [`Outcome::delay`] and gives [`Outcome::held`] back after it.
pub fn answer_call(cloud: &mut Cloud, inbound: &Inbound) -> Outcome {
    cloud.catch_up();
    let mut course = Course::new(cloud.next_request_id(), inbound);
    let result = course.run(cloud, inbound);
    let host = inbound.header("host").unwrap_or_default();
    let reply = match &result {
        Ok(fields) => Reply::success(&course.request_id, fields.clone()),
        Err(failure) => Reply::refusal(&course.request_id, &host, failure, &cloud.state().variants),
    };
    let delay = delay_of(cloud, course.fault.as_ref());
    let wire = wire_of(course.fault.as_ref());
    let counted_as = result.as_ref().err().and_then(|failure| failure.counted_as);
    let action = if course.described().is_some() { course.action } else { journal::UNKNOWN_ACTION.to_owned() };
    let call = journal::Call {
        sequence: cloud.journal.next_sequence(),
        at: cloud.clock.now(),
        account: course.account.map_or(0, |account| account.0),
        action,
        method: inbound.method.clone(),
        key: signature::named_key(inbound).filter(|id| cloud.keys.contains_key(id)),
        proof: proof_of(inbound),
        parameters: course.parameters,
        token: course.token,
        request_id: course.request_id,
        code: result.map_or_else(|failure| failure.code, |_| "OK".to_owned()),
        refusal: course.refusal,
        effect: course.effect,
        wire,
        latency_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
    };
    cloud.journal.record(call, counted_as);
    Outcome { reply: (wire == Wire::Answered).then_some(reply), delay, held: course.held }
}

fn delay_of(cloud: &Cloud, fault: Option<&Fault>) -> Duration {
    cloud.latency.saturating_add(fault.map_or(Duration::ZERO, Fault::delay))
}

fn wire_of(fault: Option<&Fault>) -> Wire {
    match fault {
        Some(Fault::LoseRequest) => Wire::RequestLost,
        Some(Fault::LoseAnswer) => Wire::AnswerLost,
        _ => Wire::Answered,
    }
}

fn proof_of(inbound: &Inbound) -> Proof {
    if inbound.is_signed_in_headers() {
        return Proof::Headers;
    }
    match inbound.is_in_query("Signature").or_else(|| inbound.is_in_query("OIDCToken")) {
        Some(true) => Proof::Query,
        Some(false) => Proof::Body,
        None => Proof::None,
    }
}

/// What is known of a call on its way.
struct Course {
    request_id: String,
    action: String,
    version: String,
    account: Option<AccountId>,
    parameters: String,
    token: Option<String>,
    refusal: Option<Refusal>,
    effect: Effect,
    fault: Option<Fault>,
    held: Held,
}

type Fields = Map<String, Value>;

impl Course {
    fn new(request_id: String, inbound: &Inbound) -> Self {
        // Only where the call's style signs it: the older style signs no header. A call that nobody signs may say
        // it in either way.
        let unsigned = inbound.parameter("Signature").is_none();
        let said = |header: &str, parameter: &str| {
            let in_header = || inbound.header(header);
            let in_parameter = || inbound.parameter(parameter);
            let place = match (inbound.is_signed_in_headers(), unsigned) {
                (true, _) => in_header(),
                (false, true) => in_parameter().or_else(in_header),
                (false, false) => in_parameter(),
            };
            place.unwrap_or_default()
        };
        Self {
            request_id,
            action: said("x-acs-action", "Action"),
            version: said("x-acs-version", "Version"),
            account: None,
            parameters: String::new(),
            token: None,
            refusal: None,
            effect: Effect::None,
            fault: None,
            held: Held::default(),
        }
    }

    fn described(&self) -> Option<&'static Action> {
        description::product(&self.version).and_then(|product| product.actions.get(&self.action))
    }

    fn run(&mut self, cloud: &mut Cloud, inbound: &Inbound) -> Result<Fields, Failure> {
        if !matches!(inbound.method.as_str(), "GET" | "POST") {
            return Err(Failure::unsupported_method(&inbound.method));
        }
        let anonymous = self.described().is_some_and(|action| action.anonymous);
        if !anonymous && !inbound.is_signed_in_headers() && inbound.parameter("Signature").is_none() {
            let missing = "Signature, or the header authorization";
            return Err(signature::Refused::Incomplete(missing.to_owned()).into());
        }
        for (name, said) in [("Action", &self.action), ("Version", &self.version)] {
            if inbound.parameter(name).is_some_and(|other| other != *said) {
                return Err(Failure::contradiction(name));
            }
        }
        let product = description::product(&self.version).ok_or_else(|| Failure::unknown_version(&self.version))?;
        let action =
            product.actions.get(&self.action).ok_or_else(|| Failure::unknown_action(&self.action, &self.version))?;
        if anonymous {
            return self.unsigned(cloud, action, inbound);
        }
        let key = admit(cloud, inbound)?;
        self.account = Some(key.actor.account);
        self.meet_fault(cloud)?;
        take_turn(cloud, key.actor.account)?;
        let variants = cloud.state().variants;
        if key.denied.contains(&self.action) {
            let code = variants.value(Variant::PermissionCode);
            return Err(Failure::forbidden(action, code, &self.action));
        }
        let params = self.check(action, &variants, inbound)?;
        match (self.version == description::STS.version, self.action.as_str()) {
            (true, "AssumeRole") => sts::assume_role(cloud, &key, &params),
            (true, _) => Ok(sts::caller_identity(&key)),
            (false, _) => self.privatelink(cloud, &key, action, &params),
        }
    }

    /// A call that no key signs. A signature that it has all the same is not looked at.
    fn unsigned(&mut self, cloud: &mut Cloud, action: &Action, inbound: &Inbound) -> Result<Fields, Failure> {
        self.meet_fault(cloud)?;
        if inbound.parameter("OIDCToken").is_some_and(|token| token.is_empty()) {
            let code = "AuthenticationFail.OIDCToken.Invalid";
            return Err(Failure::new(action.documented(code).unwrap_or(400), code, "The OIDCToken is empty."));
        }
        let variants = cloud.state().variants;
        let params = self.check(action, &variants, inbound)?;
        if variants.is_on(Variant::UnsignedCallsDated) {
            let said = params.text("Timestamp").map(str::to_owned).or_else(|| inbound.header("x-acs-date"));
            let date: Option<Timestamp> = said.ok_or_else(|| Failure::missing(action, "Timestamp"))?.parse().ok();
            let (wall, skew) = (cloud.clock.wall(), signature::skew(&variants));
            if date.is_none_or(|date| wall.duration_since(date).abs() > skew) {
                return Err(signature::Refused::Expired.into());
            }
        }
        if let Some(account) = sts::account_asked(&params).filter(|id| cloud.state().accounts.contains_key(id)) {
            take_turn(cloud, account)?;
            self.account = Some(account);
        }
        sts::assume_role_with_oidc(cloud, &params).inspect_err(|_| self.account = None)
    }

    fn check<'a>(&mut self, action: &'a Action, variants: &Variants, inbound: &Inbound) -> Result<Params<'a>, Failure> {
        let params = Params::check(action, variants, inbound.parameters())?;
        if params.text("Format").is_some_and(|format| !format.eq_ignore_ascii_case("JSON")) {
            return Err(params.illegal("Format", "it is JSON"));
        }
        self.parameters = digest(&params);
        self.token = params.text("ClientToken").map(str::to_owned);
        Ok(params)
    }

    /// What goes wrong on purpose before the call is looked at.
    fn meet_fault(&mut self, cloud: &mut Cloud) -> Result<(), Failure> {
        self.fault = cloud.faults.strike(&self.action);
        match &self.fault {
            Some(Fault::LoseRequest) => Err(Failure::new(400, "Lost", "The call was lost on its way.")),
            Some(Fault::Throttle) => {
                let variants = cloud.state().variants;
                let status = variants.value(Variant::ThrottlingStatus);
                let code = variants.value(Variant::ThrottlingCode);
                Err(Failure::throttled(status, code, Duration::from_millis(500)))
            }
            Some(Fault::Refuse { code, status }) => {
                Err(Failure::new(*status, code.clone(), "The service is not able to answer now."))
            }
            _ => Ok(()),
        }
    }

    fn privatelink(
        &mut self,
        cloud: &mut Cloud,
        key: &Key,
        action: &Action,
        params: &Params<'_>,
    ) -> Result<Fields, Failure> {
        let actor = key.actor;
        let region = match params.text("RegionId") {
            Some(name) => match cloud.state().land.region_named(name) {
                RegionId::NOWHERE => return Err(Failure::no_region(name)),
                region => region,
            },
            None => RegionId(0),
        };
        let land = cloud.state().land.clone();
        let Some(mut request) = decode::request(&land, region, &self.action, params)? else {
            let stale = (self.fault == Some(Fault::Stale)).then(|| cloud.choose_earlier());
            let cloud = &*cloud;
            let shown = stale.map_or(cloud.state(), |chosen| cloud.state_before(chosen));
            return read::answer(&View::of(cloud, shown, actor, region), &self.action, params)
                .unwrap_or_else(|| Err(Failure::unknown_action(&self.action, &self.version)));
        };
        let variants = cloud.state().variants;
        let dry = params.flag("DryRun") == Some(true);
        if dry && variants.value(Variant::DryRunToken) == "apart" {
            request.token = None;
        }
        self.take_places(cloud, actor, action, &request)?;
        let done = if dry {
            cloud.rehearse(actor, &request).map(|answer| (answer, true))
        } else {
            cloud.carry_out(actor, &request)
        };
        let (answer, repeated) = done.map_err(|refusal| self.refused(action, refusal, &variants))?;
        if answer == Answer::Rehearsed {
            return Err(Failure::new(
                400,
                "DryRunOperation",
                "Request validation has been passed with DryRun flag set.",
            ));
        }
        self.effect = if repeated { Effect::Repeated } else { Effect::Applied };
        Ok(answer::of_change(&View::of(cloud, cloud.state(), actor, region), &self.action, answer))
    }

    fn refused(&mut self, action: &Action, refusal: Refusal, variants: &Variants) -> Failure {
        self.refusal = Some(refusal);
        refuse::failure(action, refusal, variants)
    }

    /// Shuts out calls of the same scope, and of the same client token, until this one is over.
    fn take_places(
        &mut self,
        cloud: &mut Cloud,
        actor: Actor,
        action: &Action,
        request: &Request,
    ) -> Result<(), Failure> {
        let variants = cloud.state().variants;
        if let Some(token) = &request.token {
            let token = (actor.account, request.region, token.clone());
            if !cloud.enter_token(&token) {
                let message = "A call with the same client token is being processed.";
                return Err(Failure::new(400, "IdempotenceProcessing", message));
            }
            self.held.token = Some(token);
        }
        let scope = request.scope(actor, &variants);
        cloud.enter(scope).map_err(|refusal| self.refused(action, refusal, &variants))?;
        self.held.scope = scope;
        Ok(())
    }
}

/// Takes one of the calls that `account` may make.
fn take_turn(cloud: &mut Cloud, account: AccountId) -> Result<(), Failure> {
    let variants = cloud.state().variants;
    cloud.throttle.take(account, cloud.clock.wall()).map_err(|wait| {
        Failure::throttled(variants.value(Variant::ThrottlingStatus), variants.value(Variant::ThrottlingCode), wait)
    })
}

/// The key that signed the call, if it did and the call is new.
fn admit(cloud: &mut Cloud, inbound: &Inbound) -> Result<Key, Failure> {
    let (wall, skew) = (cloud.clock.wall(), signature::skew(&cloud.state().variants));
    let signed = signature::verify(inbound, &cloud.keys, wall, skew)?;
    let mut key = signed.key.clone();
    if cloud.state().variants.value(Variant::ProtectedFor) == "role" {
        key.actor.identity = key.role;
    }
    cloud.nonces.spend(&signed.key_id, &signed.nonce, wall, skew)?;
    Ok(key)
}

fn digest(params: &Params<'_>) -> String {
    let mut hash = Sha256::new();
    // Nothing that proves a caller is kept, not even in a digest.
    for (name, value) in params.telling().filter(|(name, _)| *name != "OIDCToken") {
        hash.update(format!("{}:{name}={}:{value};", name.len(), value.len()));
    }
    signature::hex(&hash.finalize())
}
