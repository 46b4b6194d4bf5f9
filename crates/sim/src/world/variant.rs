//! How the world settles what the vendor's documents leave open. Each variant is one statement that a
//! client can notice; its default is what the references make likely, and every value is possible.
//!
//! The `source` of a variant names the reference's file and line, and what it says there.

use std::cell::Cell;

/// The statements, in the order in which [`Variants`] keeps their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// Accepting picks a resource for each zone that has none.
    AutoAssignOnEnable,
    /// Refusing a connection that was never accepted turns its waiting zones to `Disconnected`.
    RefusalMarksZones,
    /// Accepting a connection that stands is refused.
    AcceptConnectedRefused,
    /// Cutting a connection that is cut already is refused.
    RejectDisconnectedRefused,
    /// A zone added to a connected connection of a service with manual acceptance waits.
    AddedZoneWaits,
    /// Closing a replaced side shows the zone as `Disconnecting` until it is closed.
    CleanUpShowsDisconnecting,
    /// A forced replacement shows the zone as `Migrating`; otherwise as `Connecting`.
    ForceShowsMigrating,
    /// While a migration runs, calls that need an active service are refused.
    MigrationBlocksService,
    /// Cutting a migrated zone without naming the replaced side cuts the current side; otherwise it is refused.
    CutOfMigratedHitsCurrent,
    /// What the account exclusion covers: one region, or all.
    AccountScopeIsRegional,
    /// A call excludes all calls of its scope, not only those of its own action.
    ScopeCoversAllActions,
    /// Where there can be one endpoint of a service only: in a VPC, in each zone of a VPC, or nowhere.
    OneEndpointPer,
    /// Whom a protected endpoint obeys: the session that made it, any session of its role, or all of its account.
    ProtectedFor,
    /// NLB connections take a bandwidth.
    NlbTakesBandwidth,
    /// A service with a disconnected endpoint cannot be deleted.
    EndpointBlocksServiceDelete,
    /// An endpoint must be made with a security group.
    GroupsRequired,
    /// An entry by account number and one by that account's ARN are one.
    AccountAndArnAreOne,
    /// The code that an account without the grant gets when it chooses a resource.
    AssignmentNotGrantedCode,
    /// The code that a key without the right to an action gets.
    PermissionCode,
    /// The code of throttling.
    ThrottlingCode,
    /// The HTTP status of throttling.
    ThrottlingStatus,
    /// A zone that waits can be connected like one that was cut.
    ConnectZoneTakesWait,
    /// The resource behind a zone that was cut can be replaced while the connection stands.
    ReplaceTakesDisconnected,
    /// While a forced replacement runs, the old resource is shown as the replaced one.
    ForceShowsReplaced,
    /// A replaced side that is not closed yet keeps its resource on the service; otherwise it goes with it.
    ReplacedSideBlocksDetach,
    /// How the mode of a chosen resource is spelt.
    ManualSpelling,
    /// What putting a principal on the allow-list answers that is there already.
    PresentPrincipal,
    /// What taking a principal off the allow-list answers that is not there.
    AbsentPrincipal,
    /// What a dry run does to its client token: spends it, leaves it alone, or shares it with the call itself.
    DryRunToken,
    /// How long a client token is remembered.
    TokenLifetime,
    /// Longest client token, in characters.
    TokenLength,
    /// How far the date of a call may be from the cloud's clock, in minutes.
    ClockSkewMinutes,
    /// `True` and `FALSE` are read as `true` and `false`.
    BooleansIgnoreCase,
    /// Which bounds of `MaxResults` hold.
    PageBounds,
    /// What stands for the cursor on the last page.
    LastCursor,
    /// Reads do not show an object until half a second after it was made.
    FreshObjectsLag,
    /// The provider reads the attributes and zones of endpoints that are joined to its services.
    ProviderReadsEndpoints,
    /// Calls on a connection between regions are taken in the regions of both its ends.
    EitherRegionServes,
    /// The code that reading an endpoint gets that does not exist.
    AbsentEndpointCode,
    /// The code that accepting a connection gets in the wrong settled state.
    WrongStateCode,
    /// After which part of their time the credentials of a machine are renewed.
    InstanceRenewal,
    /// The date of a call that nobody signs is looked at.
    UnsignedCallsDated,
    /// The code that an OIDC token gets whose time has not come.
    EarlyTokenCode,
    /// The code that an OIDC token gets which names a key that its provider does not have.
    UnknownTokenKeyCode,
    /// How a refusal is written: as JSON, as JSON with names in lower case, or as XML.
    ErrorShape,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Statement.
    pub variant: Variant,
    /// Name on the command line and in world files.
    pub name: &'static str,
    /// Values; the first is the default.
    pub values: &'static [&'static str],
    /// Reference and what it says.
    pub source: &'static str,
}

/// The value of variants that name a code for what otherwise goes well without an effect.
pub const SUCCESS: &str = "success";

const YES_NO: &[&str] = &["true", "false"];
const NO_YES: &[&str] = &["false", "true"];

const fn row(
    variant: Variant,
    name: &'static str,
    values: &'static [&'static str],
    source: &'static str,
) -> Description {
    Description { variant, name, values, source }
}

/// Every variant, in the order of [`Variant`].
pub const TABLE: &[Description] = &[
    row(
        Variant::AutoAssignOnEnable,
        "autoAssignOnEnable",
        YES_NO,
        "rules.md:16: whether accepting alone picks resources is inferred",
    ),
    row(
        Variant::RefusalMarksZones,
        "refusalMarksZones",
        YES_NO,
        "alibaba-behaviour.md:36: Wait against Disconnected is the only hint at a refusal, inferred",
    ),
    row(
        Variant::AcceptConnectedRefused,
        "acceptConnectedRefused",
        YES_NO,
        "alibaba-behaviour.md:104: EndpointConnectionOperationDenied also answers a wrong settled state, inferred",
    ),
    row(
        Variant::RejectDisconnectedRefused,
        "rejectDisconnectedRefused",
        NO_YES,
        "alibaba-behaviour.md:104: the same statement, for refusing twice",
    ),
    row(
        Variant::AddedZoneWaits,
        "addedZoneWaits",
        NO_YES,
        "alibaba-behaviour.md:51: a zone added to a connected endpoint ends in Connected; Terraform waits for Wait too",
    ),
    row(
        Variant::CleanUpShowsDisconnecting,
        "cleanUpShowsDisconnecting",
        NO_YES,
        "alibaba-behaviour.md:49: Migrated to Connected by closing the replaced side, the last arrow is inferred",
    ),
    row(
        Variant::ForceShowsMigrating,
        "forceShowsMigrating",
        YES_NO,
        "alibaba-behaviour.md:50: what a forced replacement shows on its way is inferred",
    ),
    row(
        Variant::MigrationBlocksService,
        "migrationBlocksService",
        YES_NO,
        "alibaba-behaviour.md:81: every call that needs an active service fails meanwhile, inferred",
    ),
    row(
        Variant::CutOfMigratedHitsCurrent,
        "cutOfMigratedHitsCurrent",
        YES_NO,
        "alibaba-behaviour.md:85: the hazard of the omitted flag is inferred",
    ),
    row(
        Variant::AccountScopeIsRegional,
        "accountScopeIsRegional",
        YES_NO,
        "alibaba-behaviour.md:92: the account's scope is presumably per region, inferred",
    ),
    row(
        Variant::ScopeCoversAllActions,
        "scopeCoversAllActions",
        NO_YES,
        "alibaba-behaviour.md:92: whether different actions of a scope exclude each other is not said",
    ),
    row(
        Variant::OneEndpointPer,
        "oneEndpointPer",
        &["vpc", "zone", "nothing"],
        "alibaba-behaviour.md:121: EndpointDuplicated of CreateVpcEndpoint and AddZone is presumably per VPC or zone, inferred",
    ),
    row(
        Variant::ProtectedFor,
        "protectedFor",
        &["session", "role", "account"],
        "alibaba-behaviour.md:123: with an assumed role the role and session matter, inferred",
    ),
    row(
        Variant::NlbTakesBandwidth,
        "nlbTakesBandwidth",
        YES_NO,
        "alibaba-behaviour.md:133: the guide says an NLB's bandwidth cannot be set, the newer API takes it",
    ),
    row(
        Variant::EndpointBlocksServiceDelete,
        "endpointBlocksServiceDelete",
        NO_YES,
        "alibaba-behaviour.md:58: DeleteFailedDueToEndpointExist beside ServiceDeleted is not explained",
    ),
    row(
        Variant::GroupsRequired,
        "groupsRequired",
        NO_YES,
        "alibaba-behaviour.md:119: the schema and the code EndpointMustContainSecurityGroup contradict each other",
    ),
    row(
        Variant::AccountAndArnAreOne,
        "accountAndArnAreOne",
        NO_YES,
        "rules.md:9: an account number is its account-wide ARN, inferred",
    ),
    row(
        Variant::AssignmentNotGrantedCode,
        "assignmentNotGrantedCode",
        &["NoPermission", "QuotaMisMatched", "OperationDenied.FeatureNotEnabled", "ZoneOperationDenied"],
        "rules.md:18: the code is not documented, any of these counts",
    ),
    row(
        Variant::PermissionCode,
        "permissionCode",
        &["NoPermission", "Forbidden.RAM"],
        "alibaba-wire.md:81: gateway-level permission errors are usually 403, inferred",
    ),
    row(
        Variant::ThrottlingCode,
        "throttlingCode",
        &["Throttling.User", "Throttling", "Throttling.Api", "Rejected.Throttling"],
        "alibaba-wire.md:83: published examples and the Terraform provider name different codes",
    ),
    row(
        Variant::ThrottlingStatus,
        "throttlingStatus",
        &["400", "429", "503"],
        "alibaba-wire.md:84: published examples have 400, and 429 and 503 are possible",
    ),
    row(
        Variant::ConnectZoneTakesWait,
        "connectZoneTakesWait",
        YES_NO,
        "alibaba-behaviour.md:62: the precondition names a disconnected zone only, the guide lets one be connected after acceptance",
    ),
    row(
        Variant::ReplaceTakesDisconnected,
        "replaceTakesDisconnected",
        YES_NO,
        "alibaba-behaviour.md:75: the connection's state is a precondition, the guide adds a connected or disconnected zone",
    ),
    row(
        Variant::ForceShowsReplaced,
        "forceShowsReplaced",
        NO_YES,
        "alibaba-behaviour.md:50: that a forced replacement shows no Replaced fields is inferred",
    ),
    row(
        Variant::ReplacedSideBlocksDetach,
        "replacedSideBlocksDetach",
        YES_NO,
        "alibaba-behaviour.md:87: that RelatedDeprecatedEndpointCount must be 0 before the detach is inferred",
    ),
    row(
        Variant::ManualSpelling,
        "manualSpelling",
        &["Manual", "both", "Mannual"],
        "alibaba-behaviour.md:73: the mode's docstring says Manual, two notes beside it and an older SDK say Mannual",
    ),
    row(
        Variant::PresentPrincipal,
        "presentPrincipal",
        &[SUCCESS, "EndpointServiceUserExist", "EndpointServiceOperationDenied"],
        "alibaba-behaviour.md:124: no code is documented for a principal that is there, one like its neighbours' serves",
    ),
    row(
        Variant::AbsentPrincipal,
        "absentPrincipal",
        &[SUCCESS, "EndpointServiceUserNotFound", "EndpointServiceOperationDenied"],
        "alibaba-behaviour.md:124: the same gap for a principal that is not there",
    ),
    row(
        Variant::DryRunToken,
        "dryRunToken",
        &["spent", "apart", "shared"],
        "alibaba-wire.md:96: a dry run and a later call must not share a client token, inferred",
    ),
    row(
        Variant::TokenLifetime,
        "tokenLifetime",
        &["forever", "24h"],
        "alibaba-wire.md:94: the lifetime of a client token is not documented",
    ),
    row(
        Variant::TokenLength,
        "tokenLength",
        &["64", "36", "255"],
        "alibaba-wire.md:94: the length of a client token is not documented, up to 64 is inferred",
    ),
    row(
        Variant::ClockSkewMinutes,
        "clockSkewMinutes",
        &["15", "5", "60"],
        "alibaba-wire.md:46: clock skew is limited, 15 minutes is the usual figure and not documented",
    ),
    row(
        Variant::BooleansIgnoreCase,
        "booleansIgnoreCase",
        YES_NO,
        "alibaba-wire.md:28: clients send True and true, so the server ignores case, inferred",
    ),
    row(
        Variant::PageBounds,
        "pageBounds",
        &["documented", "metadata"],
        "alibaba-wire.md:98: the documented bounds of MaxResults and those of the metadata contradict each other",
    ),
    row(
        Variant::LastCursor,
        "lastCursor",
        &["absent", "empty"],
        "alibaba-wire.md:98: an empty or an absent NextToken ends a list",
    ),
    row(
        Variant::FreshObjectsLag,
        "freshObjectsLag",
        NO_YES,
        "alibaba-behaviour.md:109: not found on a fresh id can be read lag",
    ),
    row(
        Variant::ProviderReadsEndpoints,
        "providerReadsEndpoints",
        NO_YES,
        "alibaba-behaviour.md:17: a provider in another account cannot read endpoints, inferred",
    ),
    row(
        Variant::EitherRegionServes,
        "eitherRegionServes",
        NO_YES,
        "alibaba-behaviour.md:22: which region a call on a cross-region connection goes to is inferred",
    ),
    row(
        Variant::AbsentEndpointCode,
        "absentEndpointCode",
        &["EndpointNotFound", "EndpointConnectionNotFound"],
        "alibaba-behaviour.md:99: GetVpcEndpointAttribute may also answer EndpointConnectionNotFound",
    ),
    row(
        Variant::WrongStateCode,
        "wrongStateCode",
        &["EndpointConnectionOperationDenied", "EndpointOperationDenied"],
        "alibaba-behaviour.md:104: the code of a call in the wrong settled state is inferred",
    ),
    row(
        Variant::InstanceRenewal,
        "instanceRenewal",
        &["half", "lastQuarter", "end"],
        "alibaba-wire.md:112: credentials of a machine have an end; when the next are handed out is not said",
    ),
    row(
        Variant::UnsignedCallsDated,
        "unsignedCallsDated",
        NO_YES,
        "alibaba-wire.md:108: AssumeRoleWithOIDC has a Timestamp and no signature; whether it is looked at is not said",
    ),
    row(
        Variant::EarlyTokenCode,
        "earlyTokenCode",
        &["AuthenticationFail.OIDCToken.Invalid", "AuthenticationFail.OIDCToken.Expired"],
        "alibaba-wire.md:107: no code is documented for a token whose nbf is ahead",
    ),
    row(
        Variant::UnknownTokenKeyCode,
        "unknownTokenKeyCode",
        &["AuthenticationFail.OIDCToken.InvalidSignature", "AuthenticationFail.OIDCToken.Invalid"],
        "alibaba-wire.md:107: no code is documented for a token whose kid the provider does not publish",
    ),
    row(
        Variant::ErrorShape,
        "errorShape",
        &["json", "lowerCase", "xml"],
        "alibaba-wire.md:73: names in lower case and XML are possible too",
    ),
];

thread_local! {
    /// One bit for each statement.
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

/// The statements that were asked for in this thread since this was called last: what has happened meanwhile would
/// have happened alike in every world that settles only others differently.
#[must_use]
pub fn asked() -> Vec<Variant> {
    let asked = ASKED.replace(0);
    TABLE.iter().map(|row| row.variant).filter(|variant| asked & (1 << *variant as u64) != 0).collect()
}

/// How one world settles every statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variants {
    chosen: [u8; TABLE.len()],
}

impl Default for Variants {
    fn default() -> Self {
        Self { chosen: [0; TABLE.len()] }
    }
}

/// A variant that cannot be set as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariantError {
    /// No such name.
    #[error("there is no variant {name:?}; there are: {}", names())]
    Name {
        /// What was asked for.
        name: String,
    },
    /// No such value.
    #[error("variant {name} cannot be {value:?}; it can be: {}", values.join(", "))]
    Value {
        /// Variant.
        name: &'static str,
        /// What was asked for.
        value: String,
        /// What it can be.
        values: &'static [&'static str],
    },
}

fn names() -> String {
    TABLE.iter().map(|row| row.name).collect::<Vec<_>>().join(", ")
}

impl Variants {
    /// Is a variant of two values on?
    #[must_use]
    pub fn is_on(&self, variant: Variant) -> bool {
        self.value(variant) == "true"
    }

    /// The value of a variant.
    #[must_use]
    pub fn value(&self, variant: Variant) -> &'static str {
        let place = variant as usize;
        ASKED.set(ASKED.get() | 1 << place);
        TABLE[place].values[usize::from(self.chosen[place])]
    }

    /// This world, with `name` set to `value`.
    ///
    /// # Errors
    /// [`VariantError`] where there is no such name or value; it lists what there is.
    pub fn with(mut self, name: &str, value: &str) -> Result<Self, VariantError> {
        let place = TABLE
            .iter()
            .position(|row| row.name == name)
            .ok_or_else(|| VariantError::Name { name: name.to_owned() })?;
        let row = &TABLE[place];
        let choice = row.values.iter().position(|candidate| *candidate == value).and_then(|at| u8::try_from(at).ok());
        self.chosen[place] = choice.ok_or_else(|| VariantError::Value {
            name: row.name,
            value: value.to_owned(),
            values: row.values,
        })?;
        Ok(self)
    }

    /// Every world that differs from the default one in one variant.
    #[must_use]
    pub fn each_flipped() -> Vec<(&'static str, &'static str, Self)> {
        let mut worlds = Vec::new();
        for (place, row) in TABLE.iter().enumerate() {
            for (choice, value) in row.values.iter().enumerate().skip(1) {
                let mut world = Self::default();
                world.chosen[place] = u8::try_from(choice).unwrap_or(0);
                worlds.push((row.name, *value, world));
            }
        }
        worlds
    }
}

#[cfg(test)]
mod tests {
    use super::{TABLE, Variant, VariantError, Variants, asked};

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (place, row) in TABLE.iter().enumerate() {
            assert_eq!(row.variant as usize, place, "{}", row.name);
        }
        assert_eq!(Variant::ErrorShape as usize + 1, TABLE.len());
    }

    #[test]
    fn names_are_unique_and_values_are_at_least_two() {
        for row in TABLE {
            assert_eq!(TABLE.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
            assert!(row.values.len() >= 2, "{}", row.name);
        }
    }

    #[test]
    fn a_value_is_set_by_name_and_a_wrong_one_lists_the_right_ones() {
        let flipped = Variants::default().with("autoAssignOnEnable", "false").expect("a variant of the table");
        assert!(Variants::default().is_on(Variant::AutoAssignOnEnable));
        assert!(!flipped.is_on(Variant::AutoAssignOnEnable));
        let wrong = Variants::default().with("autoAssignOnEnable", "maybe").expect_err("not a value");
        assert_eq!(wrong.to_string(), r#"variant autoAssignOnEnable cannot be "maybe"; it can be: true, false"#);
        assert!(matches!(Variants::default().with("nothing", "true"), Err(VariantError::Name { .. })));
    }

    #[test]
    fn what_is_asked_for_is_known_once_and_has_a_bit_of_its_own() {
        assert!(TABLE.len() <= 64);
        let _ = asked();
        let world = Variants::default();
        let (first, last) = (Variant::AutoAssignOnEnable, Variant::ErrorShape);
        let _ = (world.is_on(first), world.value(last), world.is_on(first));
        assert_eq!(asked(), [first, last]);
        assert_eq!(asked(), []);
    }
}
