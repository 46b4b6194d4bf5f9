//! What the wire calls things: ids of what clients made, names of services, domains.
//!
//! An id's text is made from its maker and number alone and can be turned back, so the world needs no table
//! of texts; it looks like the vendor's, 20 lower-case letters and digits, and tells nothing by itself.

use crate::world::id::InterfaceId;
use crate::world::{AccountId, Endpoint, EndpointId, RegionId, Service, ServiceId, State, ZoneId};

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// Base-36 digits that hold 64 bits.
const WIDE: usize = 13;
/// Base-36 digits that hold 32 bits.
const NARROW: usize = 7;

/// Multiplying by an odd number can be undone; it makes neighbours look unlike.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
const UNSPREAD: u64 = inverse(SPREAD);

/// Inverse of an odd number modulo 2^64, by Newton's steps: each doubles the number of right bits.
const fn inverse(odd: u64) -> u64 {
    let mut found = odd;
    let mut step = 0;
    while step < 5 {
        found = found.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(found)));
        step += 1;
    }
    found
}

/// `epsrv-…` of a service.
#[must_use]
pub fn of_service(id: ServiceId) -> String {
    format!("epsrv-{}", text_of(id.maker.0, id.number, 0x5E_21))
}

/// `ep-…` of an endpoint.
#[must_use]
pub fn of_endpoint(id: EndpointId) -> String {
    format!("ep-{}", text_of(id.maker.0, id.number, 0xE2_17))
}

/// `eni-…` of an endpoint's interface.
#[must_use]
pub fn of_interface(endpoint: EndpointId, interface: InterfaceId) -> String {
    let salt = 0xE5_11 + (u64::from(interface.0) << 20);
    format!("eni-{}", text_of(endpoint.maker.0, endpoint.number, salt))
}

/// The service of this text, or one that does not exist.
#[must_use]
pub fn service(text: &str) -> ServiceId {
    let parsed = text.strip_prefix("epsrv-").and_then(|text| parse(text, 0x5E_21));
    parsed.map_or(ServiceId::NOWHERE, |(maker, number)| ServiceId { maker: AccountId(maker), number })
}

/// The endpoint of this text, or one that does not exist.
#[must_use]
pub fn endpoint(text: &str) -> EndpointId {
    let parsed = text.strip_prefix("ep-").and_then(|text| parse(text, 0xE2_17));
    parsed.map_or(EndpointId::NOWHERE, |(maker, number)| EndpointId { maker: AccountId(maker), number })
}

/// `com.aliyuncs.privatelink.<region>.<ServiceId>`.
#[must_use]
pub fn of_service_in(state: &State, service: &Service) -> String {
    service_name(region(state, service.region), service.id)
}

/// The same, for a service that may be gone.
#[must_use]
pub fn service_name(region: &str, id: ServiceId) -> String {
    format!("com.aliyuncs.privatelink.{region}.{}", of_service(id))
}

/// The region and service of such a name.
#[must_use]
pub fn service_named(name: &str) -> Option<(&str, ServiceId)> {
    let (region, id) = name.strip_prefix("com.aliyuncs.privatelink.")?.split_once('.')?;
    Some((region, service(id)))
}

/// `<ServiceId>.<region>.privatelink.aliyuncs.com`.
#[must_use]
pub fn service_domain(state: &State, service: &Service) -> String {
    format!("{}.{}.privatelink.aliyuncs.com", of_service(service.id), region(state, service.region))
}

/// `<EndpointId>.<ServiceId>.<region>.privatelink.aliyuncs.com`.
#[must_use]
pub fn endpoint_domain(state: &State, endpoint: &Endpoint) -> String {
    let (id, service) = (of_endpoint(endpoint.id), of_service(endpoint.service));
    format!("{id}.{service}.{}.privatelink.aliyuncs.com", region(state, endpoint.region))
}

/// `<EndpointId>-<region>.<ServiceId>.<zone>.privatelink.aliyuncs.com` of the endpoint's interface in `zone`.
#[must_use]
pub fn zone_domain(state: &State, endpoint: &Endpoint, at: ZoneId) -> String {
    let (id, service) = (of_endpoint(endpoint.id), of_service(endpoint.service));
    format!("{id}-{}.{service}.{}.privatelink.aliyuncs.com", region(state, endpoint.region), zone(state, at))
}

/// The name of a region.
#[must_use]
pub fn region(state: &State, id: RegionId) -> &str {
    state.land.region(id).map_or("", |region| region.name.as_str())
}

/// The name of a zone.
#[must_use]
pub fn zone(state: &State, id: ZoneId) -> &str {
    state.land.zone(id).map_or("", |zone| zone.name.as_str())
}

fn text_of(maker: u64, number: u32, salt: u64) -> String {
    let narrow = scatter(u64::from(number), salt) & 0xFFFF_FFFF;
    let wide = scatter(maker, salt ^ narrow.rotate_left(17));
    format!("{}{}", digits(wide, WIDE), digits(narrow, NARROW))
}

fn parse(text: &str, salt: u64) -> Option<(u64, u32)> {
    if text.len() != WIDE + NARROW {
        return None;
    }
    let (wide, narrow) = text.split_at_checked(WIDE)?;
    let (wide, narrow) = (undigits(wide)?, undigits(narrow)?);
    let maker = gather(wide, salt ^ narrow.rotate_left(17));
    let number = u32::try_from(gather(narrow, salt) & 0xFFFF_FFFF).ok()?;
    (text_of(maker, number, salt) == text).then_some((maker, number))
}

fn scatter(value: u64, salt: u64) -> u64 {
    value.wrapping_mul(SPREAD) ^ salt.wrapping_mul(UNSPREAD)
}

fn gather(value: u64, salt: u64) -> u64 {
    (value ^ salt.wrapping_mul(UNSPREAD)).wrapping_mul(UNSPREAD)
}

fn digits(mut value: u64, count: usize) -> String {
    let mut text = vec![b'0'; count];
    for place in text.iter_mut().rev() {
        *place = DIGITS[usize::try_from(value % 36).unwrap_or(0)];
        value /= 36;
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn undigits(text: &str) -> Option<u64> {
    text.bytes().try_fold(0_u64, |value, byte| {
        let digit = DIGITS.iter().position(|one| *one == byte)?;
        value.checked_mul(36)?.checked_add(u64::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{endpoint, of_endpoint, of_interface, of_service, service, service_name, service_named};
    use crate::world::id::InterfaceId;
    use crate::world::{AccountId, EndpointId, ServiceId};

    #[test]
    fn a_text_turns_back_into_its_id_and_is_nobody_elses() {
        let mut seen = BTreeSet::new();
        for maker in [0, 1, 1_234_567_890_123_456, u64::MAX] {
            for number in [0, 1, 2, 36, 10_000, u32::MAX] {
                let maker = AccountId(maker);
                let (made, joined) = (ServiceId { maker, number }, EndpointId { maker, number });
                assert_eq!(service(&of_service(made)), made);
                assert_eq!(endpoint(&of_endpoint(joined)), joined);
                assert_eq!(of_service(made).len(), "epsrv-".len() + 20);
                assert!(seen.insert(of_service(made)) && seen.insert(of_endpoint(joined)));
                assert!((1..9).all(|place| seen.insert(of_interface(joined, InterfaceId(place)))));
            }
        }
    }

    #[test]
    fn any_other_text_names_nothing() {
        let text = of_service(ServiceId { maker: AccountId(7), number: 7 });
        for wrong in ["", "epsrv-", "ep-1", "epsrv-zzzzzzzzzzzzzzzzzzzz", &text[1..], &text.to_uppercase(), "epsrv-é"]
        {
            assert_eq!(service(wrong), ServiceId::NOWHERE, "{wrong}");
        }
        assert_eq!(endpoint(&text), EndpointId::NOWHERE);
    }

    #[test]
    fn a_service_name_holds_region_and_id() {
        let id = ServiceId { maker: AccountId(7), number: 7 };
        assert_eq!(service_named(&service_name("cn-hangzhou", id)), Some(("cn-hangzhou", id)));
        assert_eq!(service_named("epsrv-1"), None);
    }
}
