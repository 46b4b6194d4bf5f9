//! Percent encoding by RFC 3986: the only one that canonical and sent text can share.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Parameters as `name=value` joined by `&`, sorted by name; a space is `%20`, never `+`, so that the text is the
/// same in a query, in a form body and under a signature.
pub(crate) fn pairs(parameters: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        if !text.is_empty() {
            text.push('&');
        }
        text.extend(utf8_percent_encode(name, RESERVED));
        text.push('=');
        text.extend(utf8_percent_encode(value, RESERVED));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_unreserved_is_encoded() {
        let parameters = [("b", "a b+c*d~e/f&g=h 中"), ("a", "")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(pairs(&parameters.into()), "a=&b=a%20b%2Bc%2Ad~e%2Ff%26g%3Dh%20%E4%B8%AD");
        assert_eq!(pairs(&BTreeMap::new()), "");
    }
}
