//! What a cloud says, without what differs between two equal states: request ids, times, digests, nonces, and the
//! ids of temporary keys. A status that held them would differ after every try, and wake all that watch it.

use crate::limit;

/// What stands where something was taken out.
const GONE: char = '…';

/// The text on one line without what differs from call to call, at most [`limit::MESSAGE`] characters.
///
/// Ids of cloud objects, account numbers and quantities stay: they are what the message is about.
#[must_use]
pub fn scrub(text: &str) -> String {
    let line: Vec<char> = one_line(text).chars().collect();
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    while at < line.len() {
        let begins = at == 0 || !joins(line[at - 1]);
        let found = if begins { volatile(&line, at) } else { None };
        if let Some((keep, length)) = found {
            kept.extend(&line[at..at + keep]);
            kept.push(GONE);
            at += length;
        } else {
            kept.push(line[at]);
            at += 1;
        }
    }
    bounded(&kept)
}

/// The text, cut between two words if it is longer than a message may be.
#[must_use]
pub fn bounded(text: &str) -> String {
    let longest = limit::MESSAGE as usize;
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let cut: String = text.chars().take(longest - 2).collect();
    let whole = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    format!("{whole} {GONE}")
}

fn one_line(text: &str) -> String {
    let printable: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    printable.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters that make one word, so that part of an id is never taken for something else.
fn joins(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

/// Something that differs from call to call begins here: how many of its characters are kept as its name, and how
/// many there are in all.
fn volatile(line: &[char], at: usize) -> Option<(usize, usize)> {
    let rest = &line[at..];
    let whole = |length: usize| rest.get(length).is_none_or(|c| !joins(*c));
    let digest = run(rest, |c| c.is_ascii_hexdigit());
    let digits = run(rest, |c| c.is_ascii_digit());
    if let Some(length) = uuid(rest).or_else(|| time(rest)).filter(|length| whole(*length)) {
        return Some((0, length));
    }
    if digest >= 24 && whole(digest) {
        return Some((0, digest));
    }
    // Seconds or milliseconds since 1970; account numbers have other lengths.
    if matches!(digits, 10 | 13) && matches!(rest[0], '1' | '2') && whole(digits) {
        return Some((0, digits));
    }
    if digits > 0 && is_a_span(&rest[digits..]) {
        return Some((0, digits));
    }
    key(rest).map(|length| (0, length)).or_else(|| request_id(rest))
}

fn run(text: &[char], is: impl Fn(char) -> bool) -> usize {
    text.iter().take_while(|c| is(**c)).count()
}

fn uuid(text: &[char]) -> Option<usize> {
    let mut at = 0;
    for (group, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if group > 0 {
            (*text.get(at)? == '-').then_some(())?;
            at += 1;
        }
        let digits = text.get(at..at + length)?;
        digits.iter().all(char::is_ascii_hexdigit).then_some(())?;
        at += length;
    }
    Some(at)
}

/// A date, a time of day, or both, by ISO 8601.
fn time(text: &[char]) -> Option<usize> {
    let Some(date) = shape(text, "0000-00-00") else { return clock(text) };
    let between = text.get(date).is_some_and(|c| matches!(c, 'T' | 't' | ' '));
    let after = if between { clock(&text[date + 1..]).map(|length| date + 1 + length) } else { None };
    Some(after.unwrap_or(date))
}

fn clock(text: &[char]) -> Option<usize> {
    let mut at = shape(text, "00:00:00").or_else(|| shape(text, "00:00"))?;
    if text.get(at).is_some_and(|c| matches!(c, '.' | ',')) {
        let fraction = run(&text[at + 1..], |c| c.is_ascii_digit());
        at += if fraction > 0 { 1 + fraction } else { 0 };
    }
    let zone = match text.get(at) {
        Some('Z' | 'z') => Some(1),
        Some('+' | '-') => ["+00:00", "-00:00", "+0000", "-0000"].iter().find_map(|form| shape(&text[at..], form)),
        _ => None,
    };
    Some(at + zone.unwrap_or(0))
}

/// The text begins like `form`, in which `0` is any digit.
fn shape(text: &[char], form: &str) -> Option<usize> {
    let length = form.chars().count();
    let begins = text.get(..length)?;
    let alike = begins.iter().zip(form.chars()).all(|(c, f)| if f == '0' { c.is_ascii_digit() } else { *c == f });
    alike.then_some(length)
}

/// A unit of short times follows the number.
fn is_a_span(after: &[char]) -> bool {
    let after = after.strip_prefix(&[' ']).unwrap_or(after);
    let unit: String = after[..run(after, joins)].iter().collect();
    ["ms", "millisecond", "milliseconds", "s", "sec", "second", "seconds"].contains(&unit.as_str())
}

/// The id of an access key: temporary ones change, and none is anybody else's business.
fn key(text: &[char]) -> Option<usize> {
    let begins = |with: &str| text.iter().zip(with.chars()).filter(|(c, w)| **c == *w).count() == with.chars().count();
    let length = |skip: usize| skip + run(&text[skip..], char::is_alphanumeric);
    if begins("STS.") && length(4) > 8 {
        return Some(length(4));
    }
    (begins("LTAI") && length(4) >= 12).then(|| length(4))
}

/// `RequestId: …` in one of its spellings, with an id that has a digit: the name stays.
fn request_id(text: &[char]) -> Option<(usize, usize)> {
    let lower: String = text.iter().take(12).flat_map(|c| c.to_lowercase()).collect();
    let named =
        ["request id", "request-id", "request_id", "requestid"].iter().find(|name| lower.starts_with(**name))?;
    let name = named.chars().count();
    let gap = run(&text[name..], |c| matches!(c, ' ' | ':' | '=' | '"' | '\'' | '[' | '('));
    let id = &text[name + gap..];
    let id = &id[..run(id, |c| joins(c) || matches!(c, '+' | '/' | '='))];
    (gap > 0 && id.iter().any(char::is_ascii_digit)).then_some((name + gap, name + gap + id.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_call_to_call_goes() {
        for (said, kept) in [
            ("RequestId: 0B0C5B7E-1111-4A2F-9D33-ABCDEF012345", "RequestId: …"),
            ("request id: abc123XYZ, see the log", "request id: …, see the log"),
            ("[request id=q1w2e3]", "[request id=…]"),
            ("failed at 2026-01-02T03:04:05Z.", "failed at …."),
            ("failed at 2026-01-02 03:04:05.123+08:00 again", "failed at … again"),
            ("until 2026-01-02", "until …"),
            ("at 03:04:05 today", "at … today"),
            ("nonce 0123456789abcdef0123456789abcdef was used", "nonce … was used"),
            ("ts=1767323045, ms=1767323045123", "ts=…, ms=…"),
            ("try again in 7 seconds or 1500ms", "try again in … seconds or …ms"),
            ("key LTAI5tAbCdEfGhIjKlMn is unknown", "key … is unknown"),
            ("key STS.NUabcdefgh is unknown", "key … is unknown"),
            ("two\n lines\tand\u{7} a bell", "two lines and a bell"),
        ] {
            assert_eq!(scrub(said), kept);
        }
    }

    #[test]
    fn what_the_message_is_about_stays() {
        for said in [
            "epsrv-hp3vpx8yqxblby3i0001 of 1234567890123456 in cn-hangzhou-h: at most 20 resources, 10240 Mbit/s",
            "the request id is missing",
            "vpc-0123456789abcdef0123456789abcdef",
            "zones 3:4 and deadbeef, version 2020.04.15",
            "account 123456789012 and UIN 100012345678",
        ] {
            assert_eq!(scrub(said), said);
        }
    }

    #[test]
    fn a_message_is_bounded_and_cut_between_words() {
        let long = scrub(&"word ".repeat(1_000));
        assert!(long.chars().count() <= limit::MESSAGE as usize && long.ends_with("word …"), "{long}");
        let endless = scrub(&"ü".repeat(5_000));
        assert!(endless.chars().count() <= limit::MESSAGE as usize, "{endless}");
    }
}
