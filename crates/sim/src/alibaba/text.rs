//! The documented forms of texts: what each parameter's name promises about its value.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::world::{Variant, Variants};

/// Checks the value of the parameter `name`, which may be an item's, such as `Tag.1.Key`.
///
/// # Errors
/// What the value must be.
pub fn check(name: &str, value: &str, variants: &Variants) -> Result<(), &'static str> {
    let mut parts = name.rsplit('.').filter(|part| !part.bytes().all(|byte| byte.is_ascii_digit()));
    let leaf = parts.next().unwrap_or(name);
    let length = value.chars().count();
    let (fits, must) = match leaf {
        // The vendor documents ASCII and no length.
        "ClientToken" => {
            let (longest, must) = match variants.value(Variant::TokenLength) {
                "36" => (36, "it has at most 36 ASCII characters"),
                "255" => (255, "it has at most 255 ASCII characters"),
                _ => (64, "it has at most 64 ASCII characters"),
            };
            (value.is_ascii() && length <= longest, must)
        }
        "EndpointName" => (
            (2..=128).contains(&length)
                && value.chars().next().is_some_and(char::is_alphabetic)
                && value.chars().all(|one| one.is_alphanumeric() || "-_".contains(one)),
            "it has 2 to 128 letters, digits, - and _, and starts with a letter",
        ),
        "EndpointDescription" => (
            (2..=256).contains(&length) && !value.starts_with("http://") && !value.starts_with("https://"),
            "it has 2 to 256 characters and does not start with http:// or https://",
        ),
        "ServiceDescription" => (length <= 256, "it has at most 256 characters"),
        "Key" | "TagKey" => (
            (1..=64).contains(&length) && is_tag_text(value),
            "it has 1 to 64 characters, does not start with aliyun or acs: and holds no link",
        ),
        "Value" => (
            length <= 128 && is_tag_text(value),
            "it has at most 128 characters, does not start with aliyun or acs: and holds no link",
        ),
        "PolicyDocument" => {
            (serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(value).is_ok(), "it is a JSON object")
        }
        "ip" => (value.parse::<Ipv4Addr>().is_ok(), "it is an IPv4 address"),
        "Ipv6Address" => (value.parse::<Ipv6Addr>().is_ok(), "it is an IPv6 address"),
        "UserARN" => (value.starts_with("acs:ram:"), "it starts with acs:ram:"),
        "UserId" | "EndpointOwnerId" => (value.parse::<u64>().is_ok(), "it is an account number"),
        "ZonePrivateIpAddressCount" => (value == "1", "it is 1"),
        "CrossRegionBandwidth" => (value.parse::<u32>().is_ok_and(|mbps| mbps >= 100), "it is at least 100 (Mbit/s)"),
        _ => (true, ""),
    };
    if fits { Ok(()) } else { Err(must) }
}

/// What keys and values of tags have in common.
fn is_tag_text(value: &str) -> bool {
    let starts = ["aliyun", "acs:"].iter().any(|start| value.starts_with(start));
    let links = ["http://", "https://"].iter().any(|link| value.contains(link));
    !starts && !links
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::world::Variants;

    #[test]
    fn each_form_has_its_bounds() {
        let long = |length| "x".repeat(length);
        for (name, good, bad) in [
            ("ClientToken", long(64), long(65)),
            ("ClientToken", "a-1".to_owned(), "é".to_owned()),
            ("EndpointName", long(128), "1x".to_owned()),
            ("EndpointName", "xy".to_owned(), "x".to_owned()),
            ("EndpointName", "ab-1_c".to_owned(), "two words".to_owned()),
            ("Tag.2.Value", "team".to_owned(), "acs:x".to_owned()),
            ("Tag.2.Key", "team".to_owned(), "see-http://x".to_owned()),
            ("EndpointDescription", "about http://".to_owned(), "https://x".to_owned()),
            ("ServiceDescription", String::new(), long(257)),
            ("Tag.1.Key", long(64), "aliyun-x".to_owned()),
            ("TagKey.3", "key".to_owned(), String::new()),
            ("Tag.2.Value", String::new(), long(129)),
            ("PolicyDocument", r#"{"Version":"1"}"#.to_owned(), "[]".to_owned()),
            ("Zone.1.ip", "10.0.0.1".to_owned(), "10.0.0".to_owned()),
            ("Zone.1.Ipv6Address", "2408::1".to_owned(), "10.0.0.1".to_owned()),
            ("UserARN", "acs:ram:*:*".to_owned(), "arn:aws:iam::1:root".to_owned()),
            ("UserId", "1234567890123456".to_owned(), "-1".to_owned()),
            ("ZonePrivateIpAddressCount", "1".to_owned(), "2".to_owned()),
            ("CrossRegionBandwidth", "100".to_owned(), "99".to_owned()),
        ] {
            let variants = Variants::default();
            assert_eq!(check(name, &good, &variants), Ok(()), "{name} {good:?}");
            assert!(check(name, &bad, &variants).is_err(), "{name} {bad:?}");
        }
    }

    #[test]
    fn how_long_a_token_may_be_is_the_worlds_choice() {
        for most in [64, 36, 255] {
            let variants = Variants::default().with("tokenLength", &most.to_string()).expect("a value of the variant");
            assert_eq!(check("ClientToken", &"x".repeat(most), &variants), Ok(()));
            let must = check("ClientToken", &"x".repeat(most + 1), &variants).expect_err("it is too long");
            assert_eq!(must, format!("it has at most {most} ASCII characters"));
        }
    }
}
