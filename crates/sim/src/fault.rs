//! What goes wrong on purpose: by chance from a seed, and exactly, for the Nth call of an action.

use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use crate::random::Random;

/// Something that goes wrong with one call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// The call is carried out and its answer never arrives.
    LoseAnswer,
    /// The call never arrives.
    LoseRequest,
    /// The call is refused with the throttling code of the world.
    Throttle,
    /// The call is refused with this code.
    Refuse {
        /// Code.
        code: String,
        /// HTTP status.
        #[serde(default = "bad_request")]
        status: u16,
    },
    /// The call is carried out and its answer takes longer.
    Delay {
        /// By so much.
        milliseconds: u64,
    },
    /// A reading call is answered from an earlier state; a writing one is not touched.
    Stale,
}

fn bad_request() -> u16 {
    400
}

/// A fault that strikes chosen calls, once or several times.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Action that it strikes; unset: any.
    pub action: Option<String>,
    /// Which call from now on is struck first; 1 for the next.
    #[serde(default = "one")]
    pub nth: u32,
    /// How many calls in a row are struck.
    #[serde(default = "one")]
    pub times: u32,
    /// What happens to them.
    #[serde(rename = "do")]
    pub fault: Fault,
}

fn one() -> u32 {
    1
}

/// How often each fault strikes by chance, as fractions of all calls, and the seed of all chance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Refused as throttled.
    pub throttle: f64,
    /// Refused with 503 `ServiceUnavailable`.
    pub unavailable: f64,
    /// Refused with `SystemBusy`.
    pub busy: f64,
    /// Lost: half of them on the way in, half on the way out.
    pub lost: f64,
    /// Reads that are answered from an earlier state.
    pub stale: f64,
    /// Seed; unset: one is chosen and printed.
    pub seed: Option<u64>,
}

/// Rates that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("faults: {0}; write such as throttle=0.05,unavailable=0.02,busy=0.01,lost=0.02,stale=0.05,seed=7")]
pub struct RatesError(String);

impl FromStr for Rates {
    type Err = RatesError;

    fn from_str(text: &str) -> Result<Self, RatesError> {
        let mut rates = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| RatesError(format!("{part:?} has no value")))?;
            if name == "seed" {
                rates.seed = Some(value.parse().map_err(|_| RatesError(format!("seed {value:?} is no whole number")))?);
                continue;
            }
            let rate = value.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
            let rate = rate.ok_or_else(|| RatesError(format!("{name} {value:?} is not from 0 to 1")))?;
            match name {
                "throttle" => rates.throttle = rate,
                "unavailable" => rates.unavailable = rate,
                "busy" => rates.busy = rate,
                "lost" => rates.lost = rate,
                "stale" => rates.stale = rate,
                _ => return Err(RatesError(format!("there is no fault {name:?}"))),
            }
        }
        Ok(rates)
    }
}

/// Decides which call goes wrong.
#[derive(Clone, Debug)]
pub struct Faults {
    rates: Rates,
    random: Random,
    rules: Vec<(Rule, u32)>,
}

impl Faults {
    /// Faults by chance at `rates`, from `seed`.
    #[must_use]
    pub fn new(rates: Rates, seed: u64) -> Self {
        Self { rates, random: Random::new(seed), rules: Vec::new() }
    }

    /// Lets `rule` strike from now on.
    pub fn add(&mut self, rule: Rule) {
        self.rules.push((rule, 0));
    }

    /// What goes wrong with this call, if anything: the first exact rule that strikes, else chance.
    pub fn strike(&mut self, action: &str) -> Option<Fault> {
        let mut struck = None;
        for (rule, seen) in &mut self.rules {
            if rule.action.as_deref().is_none_or(|own| own == action) {
                *seen += 1;
                if *seen >= rule.nth && struck.is_none() {
                    struck = Some(rule.fault.clone());
                }
            }
        }
        self.rules.retain(|(rule, seen)| *seen + 1 < rule.nth.saturating_add(rule.times));
        struck.or_else(|| self.chance())
    }

    /// One of `count` earlier states.
    pub fn pick(&mut self, count: usize) -> usize {
        self.random.below(count)
    }

    fn chance(&mut self) -> Option<Fault> {
        let Rates { throttle, unavailable, busy, lost, stale, .. } = self.rates;
        let refuse = |code: &str, status| Fault::Refuse { code: code.to_owned(), status };
        let mut drawn = self.random.fraction();
        for (rate, fault) in [
            (throttle, Fault::Throttle),
            (unavailable, refuse("ServiceUnavailable", 503)),
            (busy, refuse("SystemBusy", 400)),
            (lost / 2.0, Fault::LoseRequest),
            (lost / 2.0, Fault::LoseAnswer),
            (stale, Fault::Stale),
        ] {
            if drawn < rate {
                return Some(fault);
            }
            drawn -= rate;
        }
        None
    }
}

impl Fault {
    /// How much longer the answer takes.
    #[must_use]
    pub fn delay(&self) -> Duration {
        match self {
            Self::Delay { milliseconds } => Duration::from_millis(*milliseconds),
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Faults, Rates, Rule};

    fn rule(json: &str) -> Rule {
        serde_json::from_str(json).expect("a rule")
    }

    #[test]
    fn an_exact_rule_strikes_the_calls_it_names_and_then_is_gone() {
        let mut faults = Faults::new(Rates::default(), 1);
        faults.add(rule(r#"{"action":"A","nth":2,"times":2,"do":"loseAnswer"}"#));
        faults.add(rule(r#"{"do":{"delay":{"milliseconds":5}},"nth":4}"#));
        let struck: Vec<_> = ["A", "B", "A", "A", "A", "B"].iter().map(|action| faults.strike(action)).collect();
        let lost = Some(Fault::LoseAnswer);
        assert_eq!(struck, [None, None, lost.clone(), lost, None, None]);
        assert!(faults.rules.is_empty());
        faults.add(rule(r#"{"do":{"refuse":{"code":"SystemBusy"}}}"#));
        assert_eq!(faults.strike("B"), Some(Fault::Refuse { code: "SystemBusy".to_owned(), status: 400 }));
    }

    #[test]
    fn chance_comes_from_the_seed_at_the_rates_asked_for() {
        let rates: Rates = "throttle=0.1,lost=0.2, stale=0.1,seed=7".parse().expect("rates");
        assert_eq!((rates.throttle, rates.lost, rates.stale, rates.seed), (0.1, 0.2, 0.1, Some(7)));
        let strikes = |seed| {
            let mut faults = Faults::new(rates, seed);
            (0..1_000).map(|_| faults.strike("A")).collect::<Vec<_>>()
        };
        assert_eq!(strikes(7), strikes(7));
        assert_ne!(strikes(7), strikes(8));
        let count = |fault: &Fault| strikes(7).iter().flatten().filter(|one| *one == fault).count();
        for fault in [Fault::Throttle, Fault::LoseRequest, Fault::LoseAnswer, Fault::Stale] {
            assert!((60..140).contains(&count(&fault)), "{fault:?} {}", count(&fault));
        }
    }

    #[test]
    fn rates_that_make_no_sense_are_refused_by_name() {
        let hint = "; write such as throttle=0.05,unavailable=0.02,busy=0.01,lost=0.02,stale=0.05,seed=7";
        for (text, problem) in [
            ("lost", r#""lost" has no value"#),
            ("lost=2", r#"lost "2" is not from 0 to 1"#),
            ("gone=0.1", r#"there is no fault "gone""#),
            ("seed=x", r#"seed "x" is no whole number"#),
        ] {
            let error = text.parse::<Rates>().expect_err("refused").to_string();
            assert_eq!(error, format!("faults: {problem}{hint}"));
        }
    }
}
