//! One signed exchange: where it goes, by which clock it is dated, and a second try where the clock was wrong.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use privatelink_core::condition::Reason;
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::moment::Moment;
use privatelink_core::wire::alibaba::action::Action;
use privatelink_core::wire::alibaba::{Product, Unsigned, decode, sign};
use privatelink_core::wire::{Request, Response};

use crate::cloud::credentials::Credentials;
use crate::cloud::endpoint::{Base, Endpoints};
use crate::cloud::limit;
use crate::cloud::renewal::Keys;
use crate::cloud::transport::{Transport, failure};
use crate::runtime::clock;

/// What a call is refused with whose key the cloud does not know.
const UNKNOWN: Meaning = Meaning::Credentials(Reason::CredentialsInvalid);

/// The way of one account to the cloud, whoever it calls as.
pub struct Exchange {
    transport: Transport,
    endpoints: Endpoints,
    /// How far the cloud's clock is ahead of ours, in milliseconds.
    ahead: AtomicI64,
}

impl Exchange {
    pub const fn new(transport: Transport, endpoints: Endpoints) -> Self {
        Self { transport, endpoints, ahead: AtomicI64::new(0) }
    }

    /// Makes one call, signed with `key` of `keys`; a second time, with others of them, where the cloud no longer knows
    /// that one. Each time `may` is asked last, and what it refuses is not sent.
    ///
    /// # Errors
    /// What the cloud refused, why no answer came, or what `may` said.
    pub async fn signed(
        &self,
        call: Unsigned,
        keys: &Keys,
        key: Credentials,
        patience: Duration,
        may: impl Fn() -> Result<(), Failure>,
    ) -> Result<Response, Failure> {
        let result = self.signed_with(&key, call.clone(), patience, &may).await;
        let unknown = matches!(&result, Err(refused) if refused.meaning == UNKNOWN);
        match if unknown { keys.instead_of(&key).await } else { None } {
            Some(other) => self.signed_with(&other, call, patience, &may).await,
            None => result,
        }
    }

    async fn signed_with(
        &self,
        key: &Credentials,
        mut call: Unsigned,
        patience: Duration,
        may: &impl Fn() -> Result<(), Failure>,
    ) -> Result<Response, Failure> {
        let base = self.base(call.product, &call.host)?;
        base.authority().clone_into(&mut call.host);
        let request = |date| {
            let parts = sign::Key { id: key.id(), secret: key.secret(), token: key.token() };
            let request = sign::sign(&call, &parts, date, &nonce()?);
            may().map(|()| request)
        };
        let answer = self.dated(&base, call.action, patience, request).await;
        answer.map_err(|failure| untold(failure, [Some(key.secret()), key.token()]))
    }

    /// Makes a call of the token service that nobody signs, and that `token` stands for; `request` is given the host
    /// and the date.
    ///
    /// # Errors
    /// What the cloud refused, or why no answer came.
    pub async fn unsigned(
        &self,
        action: Action,
        host: &str,
        token: &str,
        request: impl Fn(String, Moment) -> Request,
    ) -> Result<Response, Failure> {
        let base = self.base(action.product, host)?;
        let request = |date| Ok(request(base.authority().to_owned(), date));
        let answer = self.dated(&base, action.name, limit::READ, request).await;
        answer.map_err(|failure| untold(failure, [Some(token), None]))
    }

    /// Sends a request that bears a date; a second time, with a corrected one, where the cloud takes the first for too
    /// old.
    async fn dated(
        &self,
        base: &Base,
        action: &str,
        patience: Duration,
        request: impl Fn(Moment) -> Result<Request, Failure>,
    ) -> Result<Response, Failure> {
        let mut again = true;
        loop {
            let answer = self.transport.send(base, request(self.date())?, patience).await?;
            if answer.is_success() {
                // What was done can be asked about at the cloud's support, by this.
                let request = decode::request_id(&answer.body);
                tracing::debug!(call = action, request_id = request, "the cloud has accepted it");
                return Ok(answer);
            }
            let refused = decode::failure(action, &answer);
            let skewed = refused.meaning == Meaning::Credentials(Reason::ClockSkew);
            if !(again && skewed && self.learn(&answer)) {
                return Err(refused);
            }
            again = false;
        }
    }

    /// Asks the machine's metadata service; `request` is given its host.
    ///
    /// # Errors
    /// Why no answer came.
    pub async fn metadata(&self, request: impl FnOnce(&str) -> Request) -> Result<Response, Failure> {
        let base = &self.endpoints.metadata;
        self.transport.send(base, request(base.authority()), limit::METADATA).await
    }

    fn base(&self, product: Product, host: &str) -> Result<Base, Failure> {
        let declared = match product {
            Product::PrivateLink => &self.endpoints.privatelink,
            Product::Sts => &self.endpoints.sts,
        };
        match declared {
            Some(base) => Ok(base.clone()),
            None => Base::own(host).ok_or_else(|| {
                let told = format!("{host} is no host: check spec.region of the CloudAccount");
                Failure { meaning: Meaning::UserMustAct(Reason::InvalidSpec), ..failure("<unsendable>", told, false) }
            }),
        }
    }

    /// The date that the cloud's clock shows, as far as is known.
    fn date(&self) -> Moment {
        Moment(clock::wall_now().0.saturating_add(self.ahead.load(Ordering::Relaxed)))
    }

    /// Learns from an answer how far the cloud's clock is from ours; says whether another try is worth it.
    fn learn(&self, answer: &Response) -> bool {
        let Some(date) = answer.date() else { return false };
        let ahead = date.0 - clock::wall_now().0;
        if ahead.unsigned_abs() > u64::try_from(limit::CLOCK_SKEW.as_millis()).unwrap_or(u64::MAX) {
            return false;
        }
        self.ahead.store(ahead, Ordering::Relaxed);
        true
    }
}

/// The failure without what proves who called: a gateway may repeat what it was sent.
fn untold(failure: Failure, parts: [Option<&str>; 2]) -> Failure {
    let hidden = |message: String, part: &str| message.replace(part, "<hidden>");
    Failure { message: parts.into_iter().flatten().fold(failure.message, hidden), ..failure }
}

/// 32 hexadecimal digits that no other call has.
fn nonce() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(format!("{:032x}", u128::from_be_bytes(bytes))),
        Err(error) => Err(failure("<no randomness>", format!("the machine gives no random numbers: {error}"), false)),
    }
}
