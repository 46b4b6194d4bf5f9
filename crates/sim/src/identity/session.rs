//! Sessions of roles: each is a key with a token and an end. All of them come from the run's seed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

use crate::keys::{Identity, Key, Keys, Secret, places};
use crate::random::Random;
use crate::world::{AccountId, Actor};

/// Sessions that are kept; beyond, those that are over are forgotten.
pub const SESSIONS_KEPT: usize = 1_000;
/// Tokens of the metadata service that are kept; beyond, those that end first are forgotten.
pub const TOKENS_KEPT: usize = 1_000;

/// Bytes of a session's token, which begins as the vendor's do.
const TOKEN_BYTES: usize = 400;

/// The sessions of one run.
#[derive(Clone, Debug)]
pub struct Sessions {
    random: Random,
    longest: SignedDuration,
    by_age: VecDeque<String>,
    of_instance: Option<(Asked, Credentials)>,
    metadata_tokens: BTreeMap<String, Timestamp>,
}

/// Whose session is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Account of the role.
    pub account: AccountId,
    /// The role.
    pub role: String,
    /// Name of the session.
    pub session: String,
    /// Actions that it may not call.
    pub denied: BTreeSet<String>,
}

/// What a session's owner gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Id of the key.
    pub key_id: String,
    /// What it signs with.
    pub secret: Secret,
    /// What it shows.
    pub token: Secret,
    /// When it was made.
    pub issued: Timestamp,
    /// When it ends; refused from then on.
    pub expires: Timestamp,
}

impl Sessions {
    /// None yet. None will be longer than `longest`, and all of them come from `seed`.
    #[must_use]
    pub fn new(seed: u64, longest: SignedDuration) -> Self {
        Self {
            random: Random::new(seed),
            longest,
            by_age: VecDeque::new(),
            of_instance: None,
            metadata_tokens: BTreeMap::new(),
        }
    }

    /// A new session among `keys`, of `lasting` or the longest that there is; times are whole seconds, as on the
    /// wire. `None`: the account has no place for one more identity.
    pub fn open(
        &mut self,
        keys: &mut Keys,
        asked: &Asked,
        lasting: SignedDuration,
        now: Timestamp,
    ) -> Option<Credentials> {
        let identity = Identity::Role { role: asked.role.clone(), session: asked.session.clone() };
        if self.by_age.len() >= SESSIONS_KEPT || places(keys, asked.account, &identity).is_none() {
            self.forget_those_over(keys, now);
        }
        let (place, role) = places(keys, asked.account, &identity)?;
        let issued = whole(now);
        let made = Credentials {
            key_id: format!("STS.{}", self.word(25)),
            secret: Secret::new(self.word(44)),
            token: Secret::new(self.session_token()),
            issued,
            expires: whole(issued.checked_add(lasting.min(self.longest)).unwrap_or(Timestamp::MAX)),
        };
        let key = Key {
            secret: made.secret.clone(),
            token: Some(made.token.clone()),
            expires: Some(made.expires),
            actor: Actor { account: asked.account, identity: place, session: true },
            role,
            identity,
            denied: asked.denied.clone(),
        };
        keys.insert(made.key_id.clone(), key);
        self.by_age.push_back(made.key_id.clone());
        Some(made)
    }

    /// The session of the machine: the one it has, for as long as `renew`, a part of its time, has not passed; a
    /// new one from then on.
    pub fn of_instance(&mut self, keys: &mut Keys, asked: &Asked, renew: f64, now: Timestamp) -> Option<Credentials> {
        if let Some((whose, kept)) = &self.of_instance {
            let lasting = kept.expires.duration_since(kept.issued).as_secs_f64();
            let passed = now.duration_since(kept.issued).as_secs_f64();
            // A clock that was set back makes a session that has not begun: a new one then, too.
            if whose == asked && passed >= 0.0 && passed < lasting * renew {
                return Some(kept.clone());
            }
        }
        let made = self.open(keys, asked, self.longest, now)?;
        self.of_instance = Some((asked.clone(), made.clone()));
        Some(made)
    }

    /// A new token of the metadata service, which ends after `lasting`.
    pub fn open_metadata(&mut self, lasting: SignedDuration, now: Timestamp) -> String {
        self.metadata_tokens.retain(|_, end| *end > now);
        while self.metadata_tokens.len() >= TOKENS_KEPT {
            let first = self.metadata_tokens.iter().min_by_key(|(_, end)| **end).map(|(token, _)| token.clone());
            first.map(|token| self.metadata_tokens.remove(&token));
        }
        let token = STANDARD.encode(self.bytes(40));
        self.metadata_tokens.insert(token.clone(), now.checked_add(lasting).unwrap_or(Timestamp::MAX));
        token
    }

    /// Whether this is a token of the metadata service whose time is not over.
    #[must_use]
    pub fn is_metadata_token(&self, token: &str, now: Timestamp) -> bool {
        self.metadata_tokens.get(token).is_some_and(|end| *end > now)
    }

    fn forget_those_over(&mut self, keys: &mut Keys, now: Timestamp) {
        self.by_age.retain(|id| {
            let over = keys.get(id).is_none_or(|key| key.expires.is_some_and(|end| end <= now));
            if over {
                keys.remove(id);
            }
            !over
        });
    }

    fn word(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..length).map(|_| char::from(LETTERS[self.random.below(LETTERS.len())])).collect()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.random.bits().to_be_bytes()).flatten().take(length).collect()
    }

    /// Long, and with all that base64 has, so that whoever forgets to encode it on the wire notices.
    fn session_token(&mut self) -> String {
        // CAISg+/z…==
        let begin = [0x08, 0x02, 0x12, 0x83, 0xEF, 0xF3];
        STANDARD.encode([&begin[..], &self.bytes(TOKEN_BYTES - begin.len())].concat())
    }
}

fn whole(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{Asked, SESSIONS_KEPT, Sessions, TOKENS_KEPT};
    use crate::keys::Keys;
    use crate::world::AccountId;

    fn now() -> Timestamp {
        "2026-01-02T03:04:05.7Z".parse().expect("a time")
    }

    fn asked(session: &str) -> Asked {
        Asked { account: AccountId(7), role: "r".to_owned(), session: session.to_owned(), denied: [].into() }
    }

    fn minutes(minutes: i64) -> SignedDuration {
        SignedDuration::from_mins(minutes)
    }

    #[test]
    fn a_session_is_a_key_with_a_token_and_an_end() {
        let (mut keys, mut sessions) = (Keys::new(), Sessions::new(1, minutes(60)));
        let made = sessions.open(&mut keys, &asked("pod"), minutes(15), now()).expect("a session");
        assert_eq!(
            (made.issued.to_string(), made.expires.to_string()),
            ("2026-01-02T03:04:05Z".to_owned(), "2026-01-02T03:19:05Z".to_owned())
        );
        let token = made.token.reveal();
        assert!(token.starts_with("CAIS") && token.ends_with("==") && token.contains('+') && token.contains('/'));
        assert!(made.key_id.starts_with("STS.") && made.secret.reveal().len() == 44);
        let key = keys[&made.key_id].clone();
        assert_eq!((key.expires, key.token.as_ref()), (Some(made.expires), Some(&made.token)));
        assert!(key.actor.session && key.actor.account == AccountId(7));
        let long = sessions.open(&mut keys, &asked("pod"), minutes(600), now()).expect("a session");
        assert_eq!(long.expires.duration_since(long.issued), minutes(60), "no longer than the longest");
        assert_ne!(long.key_id, made.key_id);
        assert_eq!(keys[&long.key_id].actor, key.actor, "sessions of one name are one identity");
    }

    #[test]
    fn the_same_seed_gives_the_same_sessions() {
        let one = |seed| Sessions::new(seed, minutes(60)).open(&mut Keys::new(), &asked("pod"), minutes(15), now());
        assert_eq!(one(7), one(7));
        assert_ne!(one(7), one(8));
    }

    #[test]
    fn what_is_over_is_forgotten_where_there_are_too_many() {
        let (mut keys, mut sessions) = (Keys::new(), Sessions::new(1, minutes(60)));
        for number in 0..SESSIONS_KEPT {
            let name = format!("pod-{}", number % 256);
            assert!(sessions.open(&mut keys, &asked(&name), minutes(15), now()).is_some(), "{number}");
        }
        assert!(sessions.open(&mut keys, &asked("one-more"), minutes(15), now()).is_none());
        let later = now() + minutes(15);
        assert!(sessions.open(&mut keys, &asked("one-more"), minutes(15), later).is_some());
        assert_eq!((keys.len(), sessions.by_age.len()), (1, 1));
    }

    #[test]
    fn a_machine_keeps_its_session_for_a_part_of_its_time() {
        let (mut keys, mut sessions) = (Keys::new(), Sessions::new(1, minutes(60)));
        let mut at = |after, whose: &str| {
            let time = now() + minutes(after);
            sessions.of_instance(&mut keys, &asked(whose), 0.5, time).expect("a session").key_id
        };
        let first = at(0, "i");
        assert_eq!(at(29, "i"), first);
        let second = at(30, "i");
        assert_ne!(second, first);
        assert_eq!(at(59, "i"), second);
        assert_ne!(at(59, "j"), second);
        let third = at(59, "i");
        assert_ne!(at(-59, "i"), third, "a session that has not begun");
    }

    #[test]
    fn tokens_of_the_metadata_service_end_and_are_few() {
        let mut sessions = Sessions::new(1, minutes(60));
        let first = sessions.open_metadata(minutes(1), now());
        let kept = sessions.open_metadata(minutes(9), now());
        assert!(sessions.is_metadata_token(&first, now()) && !sessions.is_metadata_token("x", now()));
        assert!(!sessions.is_metadata_token(&first, now() + minutes(1)));
        for _ in 0..TOKENS_KEPT {
            sessions.open_metadata(minutes(2), now());
        }
        assert_eq!(sessions.metadata_tokens.len(), TOKENS_KEPT);
        assert!(!sessions.is_metadata_token(&first, now()) && sessions.is_metadata_token(&kept, now()));
    }
}
