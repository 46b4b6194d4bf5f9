//! A caller of the simulated cloud, with a signer of its own, so that the simulator's signature check is
//! not proved by itself.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use privatelink_sim::alibaba::description::{self, misfits, paths_of};
use privatelink_sim::alibaba::refuse::UNDOCUMENTED;
use privatelink_sim::server::{Lost, Simulator};
use privatelink_sim::world::Variant;
use privatelink_sim::world::variant::TABLE;
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

pub const START: &str = "2026-01-02T03:04:05Z";
const HOST: &str = "privatelink.cn-hangzhou.aliyuncs.com";

static NONCE: AtomicU64 = AtomicU64::new(1);

/// How a call is signed and where its parameters go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// ACS3-HMAC-SHA256, parameters in the query.
    Acs3,
    /// ACS3-HMAC-SHA256, parameters in a form body.
    Acs3Form,
    /// RPC 1.0 HMAC-SHA1 by GET.
    RpcGet,
    /// RPC 1.0 HMAC-SHA1 by POST, the parameters in a form body.
    RpcForm,
}

/// A caller with a key.
#[derive(Clone)]
pub struct Client {
    pub simulator: Simulator,
    pub id: String,
    pub secret: String,
    pub token: Option<String>,
    pub style: Style,
    pub date: String,
    pub region: Option<String>,
    pub seen: Arc<Mutex<BTreeSet<(String, String)>>>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answered {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: Value,
    /// The body as it was sent.
    pub text: String,
}

impl Answered {
    /// The body of a call that must have gone well.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.body
    }

    /// Status and code of a call that must have been refused.
    #[track_caller]
    pub fn refused(&self) -> (u16, &str) {
        assert_ne!(self.status, StatusCode::OK, "{}", self.body);
        for field in ["RequestId", "HostId", "Message", "Recommend"] {
            assert!(self.body[field].is_string(), "{field} in {}", self.body);
        }
        (self.status.as_u16(), self.body["Code"].as_str().expect("a refusal has a code"))
    }
}

impl Client {
    pub fn new(simulator: &Simulator, id: &str, secret: &str) -> Self {
        Self {
            simulator: simulator.clone(),
            id: id.to_owned(),
            secret: secret.to_owned(),
            token: None,
            style: Style::Acs3,
            date: START.to_owned(),
            region: Some("cn-hangzhou".to_owned()),
            seen: Arc::default(),
        }
    }

    pub fn styled(&self, style: Style) -> Self {
        Self { style, ..self.clone() }
    }

    pub fn in_region(&self, region: &str) -> Self {
        Self { region: Some(region.to_owned()), ..self.clone() }
    }

    /// Calls an action of PrivateLink; the region is added where the action takes one.
    pub async fn call(&self, action: &str, parameters: &[(&str, &str)]) -> Answered {
        self.try_call(action, parameters).await.expect("no answer was to be lost")
    }

    pub async fn try_call(&self, action: &str, parameters: &[(&str, &str)]) -> Result<Answered, Lost> {
        let mut pairs: Vec<(String, String)> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let described = description::PRIVATELINK.actions.get(action);
        let takes_region = described.is_some_and(|action| action.parameter("RegionId").is_some());
        if let Some(region) = self.region.as_ref().filter(|_| takes_region)
            && !pairs.iter().any(|(name, _)| name == "RegionId")
        {
            pairs.push(("RegionId".to_owned(), region.clone()));
        }
        let answered = self.send(self.request(action, "2020-04-15", pairs)).await?;
        if answered.status != StatusCode::OK {
            assert_documented(action, answered.body["Code"].as_str().expect("a refusal has a code"));
        } else if let Some(described) = described {
            assert_eq!(misfits(&described.response, &answered.body), Vec::<String>::new(), "{action}");
            let mut seen = self.seen.lock().expect("no test panicked with it");
            seen.extend(paths_of(&answered.body).into_iter().map(|path| (action.to_owned(), path)));
        }
        Ok(answered)
    }

    /// Calls an action of STS.
    pub async fn sts(&self, action: &str, parameters: &[(&str, &str)]) -> Answered {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let request = self.request(action, "2015-04-01", parameters.iter().map(owned).collect());
        let answered = self.send(request).await.expect("no answer was to be lost");
        check_sts(action, &answered);
        answered
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answered, Lost> {
        let response: Response<Full<Bytes>> = self.simulator.clone().oneshot(request).await?;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Answered { status: parts.status, headers: parts.headers, body: read(&text), text })
    }

    /// A signed request.
    pub fn request(&self, action: &str, version: &str, pairs: Vec<(String, String)>) -> Request<Full<Bytes>> {
        let nonce = format!("nonce-{}", NONCE.fetch_add(1, Ordering::Relaxed));
        match self.style {
            Style::Acs3 | Style::Acs3Form => self.acs3(action, version, &pairs, &nonce),
            Style::RpcGet | Style::RpcForm => self.rpc(action, version, pairs, nonce),
        }
    }

    fn acs3(&self, action: &str, version: &str, pairs: &[(String, String)], nonce: &str) -> Request<Full<Bytes>> {
        let encoded = form(pairs);
        let in_form = self.style == Style::Acs3Form;
        let body = if in_form { encoded.clone() } else { String::new() };
        let digest = hex(&Sha256::digest(&body));
        let mut headers = vec![
            ("host", HOST.to_owned()),
            ("x-acs-action", action.to_owned()),
            ("x-acs-content-sha256", digest.clone()),
            ("x-acs-date", self.date.clone()),
            ("x-acs-signature-nonce", nonce.to_owned()),
            ("x-acs-version", version.to_owned()),
        ];
        if in_form {
            headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
        }
        if let Some(token) = &self.token {
            headers.push(("x-acs-accesskey-id", self.id.clone()));
            headers.push(("x-acs-security-token", token.clone()));
        }
        headers.sort();
        let canonical: Vec<_> = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = canonical.concat();
        let signed = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let query = if in_form { String::new() } else { strict(pairs) };
        let text = format!("POST\n/\n{query}\n{canonical}\n{signed}\n{digest}");
        let to_sign = format!("ACS3-HMAC-SHA256\n{}", hex(&Sha256::digest(text)));
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).expect("a key");
        mac.update(to_sign.as_bytes());
        let signature = hex(&mac.finalize().into_bytes());
        let target = if in_form { "/".to_owned() } else { format!("/?{encoded}") };
        let mut request = Request::post(target);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let proof = format!("ACS3-HMAC-SHA256 Credential={},SignedHeaders={signed},Signature={signature}", self.id);
        request.header("authorization", proof).body(Full::new(Bytes::from(body))).expect("a request")
    }

    fn rpc(
        &self,
        action: &str,
        version: &str,
        mut pairs: Vec<(String, String)>,
        nonce: String,
    ) -> Request<Full<Bytes>> {
        let method = if self.style == Style::RpcGet { "GET" } else { "POST" };
        let common = [
            ("Action", action.to_owned()),
            ("Version", version.to_owned()),
            ("Format", "JSON".to_owned()),
            ("AccessKeyId", self.id.clone()),
            ("SignatureMethod", "HMAC-SHA1".to_owned()),
            ("SignatureVersion", "1.0".to_owned()),
            ("SignatureNonce", nonce),
            ("Timestamp", self.date.clone()),
        ];
        pairs.extend(common.map(|(name, value)| (name.to_owned(), value)));
        if let Some(token) = &self.token {
            pairs.push(("SecurityToken".to_owned(), token.clone()));
        }
        let to_sign = format!("{method}&%2F&{}", escape(&strict(&pairs)));
        let mut mac = Hmac::<Sha1>::new_from_slice(format!("{}&", self.secret).as_bytes()).expect("a key");
        mac.update(to_sign.as_bytes());
        pairs.push(("Signature".to_owned(), STANDARD.encode(mac.finalize().into_bytes())));
        let encoded = form(&pairs);
        if self.style == Style::RpcGet {
            let request = Request::get(format!("/?{encoded}")).header("host", HOST);
            return request.body(Full::default()).expect("a request");
        }
        Request::post("/")
            .header("host", HOST)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(encoded)))
            .expect("a request")
    }
}

/// An answer of STS has the described fields, or a documented code with its status.
#[track_caller]
pub fn check_sts(action: &str, answered: &Answered) {
    let described = &description::STS.actions[action];
    if answered.status == StatusCode::OK {
        assert_eq!(misfits(&described.response, &answered.body), Vec::<String>::new(), "{action}");
        return;
    }
    let (status, code) = answered.refused();
    let parameter = code.starts_with("Missing") || code.starts_with("InvalidParameter.");
    let known = described.documented(code).map_or(GATEWAYS.contains(&code) || parameter, |one| one == status);
    assert!(known, "{action}: {status} {code}");
}

/// Codes of the gateway, which no action lists; of parameters, those of the RPC gateway.
const GATEWAYS: &[&str] = &[
    "Forbidden.RAM",
    "IncompleteSignature",
    "InvalidAccessKeyId.NotFound",
    "InvalidAction.NotFound",
    "InvalidSecurityToken.Expired",
    "InvalidSecurityToken.MismatchWithAccessKey",
    "InvalidTimeStamp.Expired",
    "MissingSecurityToken",
    "Rejected.Throttling",
    "ServiceUnavailable",
    "SignatureDoesNotMatch",
    "SignatureNonceUsed",
    "Throttling",
    "Throttling.Api",
    "Throttling.User",
];

/// Every refusal in any test has a code that is documented, the gateway's, or explained.
#[track_caller]
fn assert_documented(name: &str, code: &str) {
    let api = &*description::PRIVATELINK;
    let own = api.actions.get(name).is_some_and(|action| action.documented(code).is_some());
    let common = api.common_errors.iter().any(|one| one.code == code);
    let parameter = code.starts_with("Missing") || code.starts_with("InvalidParameter.");
    let explained = UNDOCUMENTED.iter().any(|(one, actions, _)| *one == code && actions.contains(&name));
    // The world's choices for an account without the grant are listed with their variant.
    let chosen = TABLE.iter().any(|row| row.variant == Variant::AssignmentNotGrantedCode && row.values.contains(&code));
    assert!(own || common || parameter || explained || chosen || GATEWAYS.contains(&code), "{name}: {code}");
}

/// What an answer says. Some worlds write refusals as XML, or with names in lower case.
fn read(text: &str) -> Value {
    let xml = text.split_once("<Error>").and_then(|(_, rest)| rest.strip_suffix("</Error>"));
    let Some(mut rest) = xml else {
        let mut body: Value = serde_json::from_str(text).expect("every other answer is JSON");
        if let Some(fields) = body.as_object_mut().filter(|fields| fields.contains_key("code")) {
            let upper = |name: String| name[..1].to_ascii_uppercase() + &name[1..];
            *fields = std::mem::take(fields).into_iter().map(|(name, value)| (upper(name), value)).collect();
        }
        return body;
    };
    let mut fields = serde_json::Map::new();
    while let Some((name, after)) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        let (text, next) = after.split_once(&format!("</{name}>")).expect("every element ends");
        let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        fields.insert(name.to_owned(), plain.into());
        rest = next;
    }
    assert_eq!(rest, "", "{text}");
    Value::Object(fields)
}

fn form(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn strict(pairs: &[(String, String)]) -> String {
    let mut all: Vec<_> = pairs.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    all.sort();
    all.join("&")
}

fn escape(text: &str) -> String {
    let escape_one = |byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape_one).collect::<Vec<_>>().concat()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
