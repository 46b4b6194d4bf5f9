//! From a world file to a world: everything that it names exists once, and everything that it refers to exists.

pub mod file;
mod identities;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use jiff::SignedDuration;

use crate::alibaba::word;
use crate::identity::Identities;
use crate::keys::{Identity, Key, Keys, Secret};
use crate::world::land::{Balancer, Group, Region, Switch, Vpc, Zone};
use crate::world::object::{BalancerKind, OpenBlock};
use crate::world::variant::VariantError;
use crate::world::{Account, AccountId, Actor, Land, RegionId, State, Text, Variants, VpcId, ZoneId};

pub use file::{Durations, Limits};

/// The world that is used where none is given.
pub const BUILT_IN: &str = include_str!("../data/world.yaml");

/// A world before the first call, with what the rest of the simulator needs to know.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// The world.
    pub state: State,
    /// Keys that callers sign with.
    pub keys: Keys,
    /// Who may become whom.
    pub identities: Identities,
    /// How long transitions take.
    pub durations: Durations,
    /// Call rate of accounts that have none of their own.
    pub limits: Limits,
    /// Call rates of accounts that have one.
    pub limits_of: BTreeMap<AccountId, Limits>,
}

/// Why a world file is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum FixtureError {
    /// Not YAML, or not of the right shape.
    #[error("the world file cannot be read: {0}")]
    Shape(#[from] serde_saphyr::Error),
    /// A value that does not fit the rest.
    #[error("{field}: {problem}; {remedy}")]
    Value {
        /// Where it is.
        field: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// A variant that does not exist.
    #[error("variants: {0}")]
    Variant(#[from] VariantError),
}

impl Fixture {
    /// The world that the YAML text `yaml` describes.
    ///
    /// # Errors
    /// [`FixtureError`], which names the field and the remedy.
    pub fn parse(yaml: &str) -> Result<Self, FixtureError> {
        let file: file::World = serde_saphyr::from_str(yaml)?;
        Builder::default().build(&file)
    }

    /// The world that is used where none is given.
    ///
    /// # Panics
    /// Never: the built-in world is part of the program, and a test parses it.
    #[must_use]
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("a test parses the built-in world")
    }
}

fn wrong<T>(
    field: impl Into<String>,
    problem: impl Into<String>,
    remedy: impl Into<String>,
) -> Result<T, FixtureError> {
    Err(FixtureError::Value { field: field.into(), problem: problem.into(), remedy: remedy.into() })
}

#[derive(Default)]
struct Builder {
    land: Land,
    keys: Keys,
    accounts: BTreeMap<AccountId, Account>,
    limits_of: BTreeMap<AccountId, Limits>,
    names: BTreeSet<String>,
}

impl Builder {
    fn build(mut self, file: &file::World) -> Result<Fixture, FixtureError> {
        if file.regions.is_empty() {
            return wrong("regions", "a world has at least one region", "add one with its zones");
        }
        for (at, region) in file.regions.iter().enumerate() {
            self.add_region(&format!("regions[{at}]"), region)?;
        }
        check_limits("limits", file.limits)?;
        if file.durations.session < SignedDuration::from_secs(1) {
            return wrong("durations.session", "it is less than a second", "write 1s or more");
        }
        for (at, account) in file.accounts.iter().enumerate() {
            self.add_account(&format!("accounts[{at}]"), account)?;
        }
        let identities = identities::build(file, &self.accounts)?;
        let mut variants = Variants::default();
        for (name, value) in &file.variants {
            variants = variants.with(name, value)?;
        }
        Ok(Fixture {
            state: State::new(self.land, self.accounts, variants),
            keys: self.keys,
            identities,
            durations: file.durations,
            limits: file.limits,
            limits_of: self.limits_of,
        })
    }

    /// `name` is this thing's alone; ids are small numbers, so there is an end to them.
    fn claim(&mut self, field: &str, name: &str, taken: usize) -> Result<u16, FixtureError> {
        if name.is_empty() || !self.names.insert(name.to_owned()) {
            return wrong(field, format!("{name:?} is empty or used twice"), "give each thing an id of its own");
        }
        match u16::try_from(taken) {
            Ok(place) if place < u16::MAX => Ok(place),
            _ => wrong(field, "there are too many of its kind", format!("use at most {}", u16::MAX)),
        }
    }

    fn add_region(&mut self, field: &str, region: &file::Region) -> Result<(), FixtureError> {
        let id = RegionId(self.claim(&format!("{field}.id"), &region.id, self.land.regions.len())?);
        self.land.regions.push(Region { name: region.id.clone() });
        for (at, zone) in region.zones.iter().enumerate() {
            self.claim(&format!("{field}.zones[{at}]"), zone, self.land.zones.len())?;
            self.land.zones.push(Zone { name: zone.clone(), region: id });
        }
        Ok(())
    }

    fn add_account(&mut self, field: &str, account: &file::Account) -> Result<(), FixtureError> {
        let id = AccountId(account.uid);
        if account.uid == 0 || self.accounts.contains_key(&id) {
            return wrong(
                format!("{field}.uid"),
                format!("{} is 0 or used twice", account.uid),
                "give each account its own",
            );
        }
        if account.resource_groups.is_empty() {
            return wrong(
                format!("{field}.resourceGroups"),
                "it is empty",
                "leave it out or name the default group first",
            );
        }
        self.add_keys(field, id, &account.keys)?;
        if let Some(limits) = account.limits {
            check_limits(&format!("{field}.limits"), limits)?;
            self.limits_of.insert(id, limits);
        }
        for (at, vpc) in account.vpcs.iter().enumerate() {
            self.add_vpc(&format!("{field}.vpcs[{at}]"), id, vpc)?;
        }
        let made = Account {
            product_open: account.product_open,
            may_not_open: account.may_not_open.map(|block| match block {
                file::OpenBlock::AccountType => OpenBlock::AccountType,
                file::OpenBlock::Balance => OpenBlock::Balance,
            }),
            locked: account.locked,
            vendor: account.vendor,
            may_assign_resources: account.may_assign_resources,
            may_pay_for_consumers: account.may_pay_for_consumers,
            resource_groups: account.resource_groups.iter().map(|group| Text::from(group.as_str())).collect(),
            max_services: account.quotas.services,
            max_resources: account.quotas.resources,
            max_resources_per_zone: account.quotas.resources_per_zone,
            max_endpoints_per_vpc: account.quotas.endpoints_per_vpc,
            services_made: 0,
            endpoints_made: 0,
        };
        self.accounts.insert(id, made);
        Ok(())
    }

    fn add_keys(&mut self, field: &str, account: AccountId, keys: &[file::Key]) -> Result<(), FixtureError> {
        let mut identities: Vec<Identity> = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            let field = format!("{field}.keys[{at}]");
            if key.id.is_empty() || key.secret.is_empty() || self.keys.contains_key(&key.id) {
                return wrong(
                    field,
                    format!("key {:?} is empty or used twice", key.id),
                    "give it an id and a secret of its own",
                );
            }
            let Some(identity) = Identity::parse(&key.identity) else {
                return wrong(
                    format!("{field}.identity"),
                    format!("{:?} is no identity", key.identity),
                    "write root, user/NAME or role/NAME/SESSION",
                );
            };
            let place = identities.iter().position(|known| *known == identity).unwrap_or_else(|| {
                identities.push(identity.clone());
                identities.len() - 1
            });
            let role = identities.iter().position(|known| known.is_of_role(&identity)).unwrap_or(place);
            let (Ok(place), Ok(role)) = (u8::try_from(place), u8::try_from(role)) else {
                return wrong(field, "the account has too many identities", "use at most 256");
            };
            let denied = identities::check_actions(&field, &key.denied_actions)?;
            let made = Key {
                secret: Secret::new(key.secret.clone()),
                token: key.token.clone().map(Secret::new),
                expires: key.expires,
                actor: Actor { account, identity: place, session: identity.is_session() },
                role,
                identity,
                denied,
            };
            self.keys.insert(key.id.clone(), made);
        }
        Ok(())
    }

    fn add_vpc(&mut self, field: &str, account: AccountId, vpc: &file::Vpc) -> Result<(), FixtureError> {
        let id = VpcId(self.claim(&format!("{field}.id"), &vpc.id, self.land.vpcs.len())?);
        let region = self.land.region_named(&vpc.region);
        if region == RegionId::NOWHERE {
            return wrong(
                format!("{field}.region"),
                format!("there is no region {:?}", vpc.region),
                "add it to regions",
            );
        }
        self.land.vpcs.push(Vpc { name: vpc.id.clone(), account, region });
        for (at, switch) in vpc.switches.iter().enumerate() {
            self.add_switch(&format!("{field}.switches[{at}]"), id, region, switch)?;
        }
        for (at, group) in vpc.groups.iter().enumerate() {
            self.claim(&format!("{field}.groups[{at}].id"), &group.id, self.land.groups.len())?;
            let (name, enterprise, managed) = (group.id.clone(), group.enterprise, group.managed);
            self.land.groups.push(Group { name, vpc: id, enterprise, managed });
        }
        for (at, balancer) in vpc.balancers.iter().enumerate() {
            self.add_balancer(&format!("{field}.balancers[{at}]"), (account, id, region), balancer)?;
        }
        Ok(())
    }

    fn add_switch(
        &mut self,
        field: &str,
        vpc: VpcId,
        region: RegionId,
        switch: &file::Switch,
    ) -> Result<(), FixtureError> {
        self.claim(&format!("{field}.id"), &switch.id, self.land.switches.len())?;
        let zone = self.zone_in(&format!("{field}.zone"), region, &switch.zone)?;
        let Some((base, prefix)) = parse_range(&switch.range) else {
            return wrong(
                format!("{field}.range"),
                format!("{:?} is no IPv4 range of 16 to 29 bits", switch.range),
                "write it as 10.0.1.0/24, starting at its first address",
            );
        };
        // The network address, three gateways and the broadcast address are never given out.
        let usable = u16::try_from((1_u32 << (32 - u32::from(prefix))) - 5).unwrap_or(u16::MAX);
        let free = switch.free.unwrap_or(usable).min(usable);
        let name = switch.id.clone();
        let (base_v6, available) = (switch.ipv6, switch.available);
        self.land.switches.push(Switch { name, vpc, zone, base, prefix, base_v6, free, available });
        Ok(())
    }

    fn add_balancer(
        &mut self,
        field: &str,
        (account, vpc, region): (AccountId, VpcId, RegionId),
        balancer: &file::Balancer,
    ) -> Result<(), FixtureError> {
        self.claim(&format!("{field}.id"), &balancer.id, self.land.balancers.len())?;
        let Some(kind) = word::balancer(&balancer.kind) else {
            return wrong(
                format!("{field}.kind"),
                format!("there is no kind {:?}", balancer.kind),
                "write slb, alb, nlb or gwlb",
            );
        };
        if balancer.zones.is_empty() || (kind == BalancerKind::Clb && balancer.zones.len() > 1) {
            return wrong(format!("{field}.zones"), "it has no zone, or is an slb with several", "an slb has one zone");
        }
        let mut zones = Vec::new();
        for (at, name) in balancer.zones.iter().enumerate() {
            let field = format!("{field}.zones[{at}]");
            let zone = self.zone_in(&field, region, name)?;
            if !self.land.switches.iter().any(|switch| switch.vpc == vpc && switch.zone == zone) {
                return wrong(field, format!("the VPC has no vSwitch in {name:?}"), "add one to its switches");
            }
            zones.push(zone);
        }
        self.land.balancers.push(Balancer {
            name: balancer.id.clone(),
            account,
            vpc,
            kind,
            zones,
            supports_private_link: balancer.supports_private_link,
            ipv6: balancer.ipv6,
            address: balancer.address,
        });
        Ok(())
    }

    fn zone_in(&self, field: &str, region: RegionId, name: &str) -> Result<ZoneId, FixtureError> {
        let id = self.land.zone_named(name);
        match self.land.zone(id) {
            Some(zone) if zone.region == region => Ok(id),
            _ => wrong(field, format!("the region has no zone {name:?}"), "add it to the region's zones"),
        }
    }
}

fn check_limits(field: &str, limits: Limits) -> Result<(), FixtureError> {
    if limits.requests_per_second.is_finite() && limits.requests_per_second > 0.0 && limits.burst > 0 {
        return Ok(());
    }
    wrong(field, "requestsPerSecond and burst are above 0", "raise them, or leave them out for the default")
}

fn parse_range(text: &str) -> Option<(Ipv4Addr, u8)> {
    let (base, prefix) = text.split_once('/')?;
    let (base, prefix): (Ipv4Addr, u8) = (base.parse().ok()?, prefix.parse().ok()?);
    let in_range = (16..=29).contains(&prefix);
    let starts = in_range && u32::from(base).trailing_zeros() >= 32 - u32::from(prefix);
    starts.then_some((base, prefix))
}

#[cfg(test)]
mod tests {
    use super::Fixture;
    use crate::world::invariant;

    const SMALL: &str = "
regions:
  - {id: r, zones: [r-a, r-b]}
accounts:
  - uid: 7
    keys: [{id: k, secret: s}]
    vpcs:
      - id: vpc
        region: r
        switches: [{id: vsw, zone: r-a, range: 10.0.0.0/24}]
        groups: [{id: sg}]
        balancers: [{id: lb, kind: slb, zones: [r-a], address: 10.0.0.9}]
";

    #[test]
    fn the_built_in_world_is_sound_and_holds_every_kind() {
        let fixture = Fixture::built_in();
        assert_eq!(invariant::broken(&fixture.state), Vec::<String>::new());
        let land = &fixture.state.land;
        let kinds: std::collections::BTreeSet<_> = land.balancers.iter().map(|balancer| balancer.kind).collect();
        assert_eq!(kinds.len(), 4);
        assert!(land.regions.len() >= 2 && fixture.state.accounts.len() >= 4);
        assert!(fixture.state.accounts.values().any(|account| account.vendor));
        assert!(fixture.state.accounts.values().any(|account| !account.product_open));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_remedy() {
        assert!(Fixture::parse(SMALL).is_ok());
        for (from, to, error) in [
            ("region: r\n", "region: x\n", r#"accounts[0].vpcs[0].region: there is no region "x"; add it to regions"#),
            (
                "zone: r-a,",
                "zone: x-a,",
                r#"accounts[0].vpcs[0].switches[0].zone: the region has no zone "x-a"; add it to the region's zones"#,
            ),
            (
                "zones: [r-a], a",
                "zones: [r-b], a",
                r#"accounts[0].vpcs[0].balancers[0].zones[0]: the VPC has no vSwitch in "r-b"; add one to its switches"#,
            ),
            (
                "10.0.0.0/24",
                "10.0.0.1/24",
                r#"accounts[0].vpcs[0].switches[0].range: "10.0.0.1/24" is no IPv4 range of 16 to 29 bits; write it as 10.0.1.0/24, starting at its first address"#,
            ),
            (
                "id: sg",
                "id: vsw",
                r#"accounts[0].vpcs[0].groups[0].id: "vsw" is empty or used twice; give each thing an id of its own"#,
            ),
            (
                "kind: slb",
                "kind: clb",
                r#"accounts[0].vpcs[0].balancers[0].kind: there is no kind "clb"; write slb, alb, nlb or gwlb"#,
            ),
            (
                "secret: s",
                "secret: s, identity: ann",
                r#"accounts[0].keys[0].identity: "ann" is no identity; write root, user/NAME or role/NAME/SESSION"#,
            ),
            (
                "secret: s",
                "secret: s, deniedActions: [Create]",
                r#"accounts[0].keys[0].deniedActions: there is no action "Create"; write it as in the API, such as CreateVpcEndpoint"#,
            ),
            ("uid: 7", "uid: 0", "accounts[0].uid: 0 is 0 or used twice; give each account its own"),
        ] {
            let yaml = SMALL.replace(from, to);
            assert_ne!(yaml, SMALL, "{from}");
            assert_eq!(Fixture::parse(&yaml).expect_err("refused").to_string(), error);
        }
        let variant = format!("{SMALL}variants: {{autoAssignOnEnable: 'maybe'}}");
        let error = Fixture::parse(&variant).expect_err("refused").to_string();
        assert_eq!(error, r#"variants: variant autoAssignOnEnable cannot be "maybe"; it can be: true, false"#);
        let limits = format!("{SMALL}limits: {{burst: 0}}");
        assert!(Fixture::parse(&limits).expect_err("refused").to_string().starts_with("limits: "));
    }

    #[test]
    fn what_is_wrong_with_identities_is_named_with_its_remedy() {
        let world = format!(
            "{SMALL}    oidcProviders: [{{name: c, issuer: i, keys: {{keys: []}}}}]
    roles:
      - name: r
        trusts: {{principals: ['acs:ram::7:root'], oidc: [{{provider: c, subject: s}}], services: [ecs]}}
        maxSession: 2h
instance: {{account: 7, role: r}}
"
        );
        let fixture = Fixture::parse(&world).expect("a world");
        assert_eq!((fixture.identities.roles.len(), fixture.identities.providers.len()), (1, 1));
        for (from, to, error) in [
            (
                "acs:ram::7:root",
                "ann",
                r#"accounts[0].roles[0].trusts.principals[0]: "ann" names nobody; write acs:ram::ACCOUNT:root, acs:ram::ACCOUNT:user/NAME or acs:ram::ACCOUNT:role/NAME"#,
            ),
            (
                "acs:ram::7:root",
                "acs:ram::8:root",
                "accounts[0].roles[0].trusts.principals[0]: there is no account 8; add it to accounts",
            ),
            (
                "provider: c",
                "provider: d",
                r#"accounts[0].roles[0].trusts.oidc[0].provider: the account has no OIDC provider "d"; add it to oidcProviders"#,
            ),
            (
                "subject: s",
                "subject: ''",
                "accounts[0].roles[0].trusts.oidc[0].subject: it is empty; write the sub of the tokens that are trusted",
            ),
            ("maxSession: 2h", "maxSession: 13h", "accounts[0].roles[0].maxSession: it is 13h; write 15m to 12h"),
            (
                "maxSession: 2h",
                "externalId: x",
                "accounts[0].roles[0].externalId: it is too short; write 2 characters or more, or leave it out",
            ),
            (
                "maxSession: 2h",
                "deniedActions: [Assume]",
                r#"accounts[0].roles[0].deniedActions: there is no action "Assume"; write it as in the API, such as CreateVpcEndpoint"#,
            ),
            (
                "- name: r",
                "- name: 'a/b'",
                r#"accounts[0].roles[0].name: "a/b" is no name; write 1 to 64 letters, digits, -, _ and ."#,
            ),
            (
                "      - name: r",
                "      - {name: r, trusts: {}}\n      - name: r",
                r#"accounts[0].roles[1].name: "r" is used twice; give each of the account's a name of its own"#,
            ),
            (
                "[{name: c,",
                "[{name: c, issuer: j}, {name: c,",
                r#"accounts[0].oidcProviders[1].name: "c" is used twice; give each of the account's a name of its own"#,
            ),
            (
                "issuer: i",
                "issuer: ''",
                "accounts[0].oidcProviders[0].issuer: it is empty; write the iss of its tokens, an https:// address",
            ),
            (
                "issuer: i",
                "issuer: i, audiences: []",
                "accounts[0].oidcProviders[0].audiences: it is empty; leave it out for sts.aliyuncs.com",
            ),
            (
                "keys: []",
                "keys: [{kty: oct}]",
                "accounts[0].oidcProviders[0].keys.keys[0]: it is no RSA key with n and e, and no EC key of P-256 with x and y; copy the provider's JWKS as it is",
            ),
            ("account: 7", "account: 8", "instance.account: there is no account 8; add it to accounts"),
            ("role: r}", "role: s}", r#"instance.role: the account has no role "s"; add it to its roles"#),
            (
                "services: [ecs]",
                "services: []",
                r#"instance.role: the role "r" does not trust machines; add ecs to its trusts.services"#,
            ),
            (
                "instance:",
                "durations: {session: 1ms}\ninstance:",
                "durations.session: it is less than a second; write 1s or more",
            ),
        ] {
            let yaml = world.replace(from, to);
            assert_ne!(yaml, world, "{from}");
            assert_eq!(Fixture::parse(&yaml).expect_err("refused").to_string(), error);
        }
    }

    #[test]
    fn a_field_that_is_not_known_is_refused_by_name() {
        let yaml = SMALL.replace("uid: 7", "uid: 7\n    colour: red");
        let error = Fixture::parse(&yaml).expect_err("refused").to_string();
        assert!(error.contains("colour"), "{error}");
    }
}
