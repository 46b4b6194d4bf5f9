//! A call's parameters: flattened on the wire, checked against the description, then read by name and type.
//!
//! What passes here is known to the action, of the right type, complete, within the documented lengths and
//! without gaps in its numbering. An empty text counts as unset, except where a text may be emptied.

use std::collections::{BTreeMap, BTreeSet};

use super::description::{Action, Field, Kind};
use super::gateway::Failure;
use super::text;
use crate::world::{Variant, Variants};

/// Parameters of the RPC style itself: any action takes them.
const COMMON: &[&str] = &[
    "Action",
    "Version",
    "Format",
    "AccessKeyId",
    "SecurityToken",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "SignatureNonce",
    "SignatureType",
    "Timestamp",
    "RegionId",
    "OwnerId",
    "OwnerAccount",
    "ResourceOwnerId",
    "ResourceOwnerAccount",
];

/// Texts that a call may set to nothing.
const MAY_BE_EMPTIED: &[&str] = &["ServiceDescription", "Value"];

/// Most items of each list. Longer lists of zones, groups and tags are for the cloud's quotas to refuse.
const MOST_ITEMS: &[(&str, usize)] = &[("Resource", 10), ("ResourceId", 50), ("TagKey", 20)];

/// Items of any other list.
const MOST_ITEMS_ELSE: usize = 100;

/// The checked parameters of one call to one action.
#[derive(Clone, Debug)]
pub struct Params<'a> {
    /// What the action is described to take.
    pub action: &'a Action,
    /// How the world settles what the description leaves open.
    pub variants: Variants,
    flat: BTreeMap<String, String>,
}

/// One object of a list, such as `Zone.2`.
#[derive(Clone, Copy, Debug)]
pub struct Item<'p, 'a> {
    params: &'p Params<'a>,
    list: &'p str,
    number: usize,
}

impl<'a> Params<'a> {
    /// Checks `pairs` as the parameters of `action`, in a world of these `variants`.
    ///
    /// # Errors
    /// The vendor's refusal of the first parameter that is unknown, ill-formed or missing.
    pub fn check(action: &'a Action, variants: &Variants, pairs: Vec<(String, String)>) -> Result<Self, Failure> {
        let mut flat = BTreeMap::new();
        let mut twice = None;
        for (name, value) in pairs {
            if flat.insert(name.clone(), value).is_some() {
                twice.get_or_insert(name);
            }
        }
        let params = Self { action, variants: *variants, flat };
        for name in params.flat.keys() {
            params.check_name(name)?;
        }
        if let Some(name) = twice {
            return Err(Failure::illegal(action, &name, "it is given once only"));
        }
        for field in &action.request {
            params.check_field(field)?;
        }
        Ok(params)
    }

    /// The text of `name`, if it is set.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let leaf = name.rsplit('.').next().unwrap_or(name);
        self.flat.get(name).map(String::as_str).filter(|value| !value.is_empty() || MAY_BE_EMPTIED.contains(&leaf))
    }

    /// The text of `name`.
    ///
    /// # Errors
    /// The vendor's refusal of a call without it.
    pub fn need(&self, name: &str) -> Result<&str, Failure> {
        self.text(name).ok_or_else(|| Failure::missing(self.action, name))
    }

    /// Whether `name` is true, if it is set.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.text(name).map(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The number `name`, if it is set.
    ///
    /// # Errors
    /// The vendor's refusal of a number that does not fit.
    pub fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, Failure> {
        let parse = |value: &str| value.parse().map_err(|_| Failure::illegal(self.action, name, "it is out of range"));
        self.text(name).map(parse).transpose()
    }

    /// The texts of the list `name`, in their order.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<&str> {
        let numbered = (1..).map(|number| self.flat.get(&format!("{name}.{number}")));
        numbered.take_while(Option::is_some).flatten().map(String::as_str).collect()
    }

    /// The objects of the list `name`, in their order.
    #[must_use]
    pub fn items<'p>(&'p self, name: &'p str) -> Vec<Item<'p, 'a>> {
        (1..=self.length(name)).map(|number| Item { params: self, list: name, number }).collect()
    }

    /// Name and value of every parameter that tells one call from another: not those that sign it.
    pub fn telling(&self) -> impl Iterator<Item = (&str, &str)> {
        let signs = |name: &str| COMMON.contains(&name) && name != "RegionId";
        self.flat.iter().filter(move |(name, _)| !signs(name)).map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The refusal of a value that `name` cannot have.
    #[must_use]
    pub fn illegal(&self, name: &str, must: &str) -> Failure {
        Failure::illegal(self.action, name, must)
    }

    fn length(&self, list: &str) -> usize {
        self.flat.keys().filter_map(|name| numbered(name, list)).max().unwrap_or(0)
    }

    fn check_name(&self, name: &str) -> Result<(), Failure> {
        let mut parts = name.split('.');
        let field = parts.next().and_then(|first| self.action.parameter(first));
        let (number, inner, rest) = (parts.next(), parts.next(), parts.next());
        let is_number =
            number.is_some_and(|text| text.parse::<usize>().is_ok_and(|it| it > 0 && it.to_string() == text));
        let known = match field {
            Some(field) if field.kind == Kind::Array => {
                let right_inner = match inner {
                    Some(inner) => field.fields.iter().any(|one| one.name == inner),
                    None => field.fields.is_empty(),
                };
                is_number && right_inner && rest.is_none()
            }
            Some(_) => number.is_none(),
            None => COMMON.contains(&name),
        };
        if known { Ok(()) } else { Err(Failure::unknown_parameter(name)) }
    }

    fn check_field(&self, field: &Field) -> Result<(), Failure> {
        let name = field.name.as_str();
        if field.kind != Kind::Array {
            return match self.text(name) {
                Some(value) => self.check_value(field, name, value),
                None if field.required => Err(Failure::missing(self.action, name)),
                None => Ok(()),
            };
        }
        let length = self.length(name);
        if length == 0 && field.required {
            let first =
                if field.fields.is_empty() { name.to_owned() } else { format!("{name}.1.{}", field.fields[0].name) };
            return Err(Failure::missing(self.action, &first));
        }
        let most = MOST_ITEMS.iter().find(|(list, _)| *list == name).map_or(MOST_ITEMS_ELSE, |(_, most)| *most);
        if length > most {
            return Err(self.illegal(name, &format!("it has at most {most} items")));
        }
        let present: BTreeSet<usize> = self.flat.keys().filter_map(|other| numbered(other, name)).collect();
        if present.len() != length {
            return Err(self.illegal(name, "its items are numbered from 1 without gaps"));
        }
        for number in 1..=length {
            let at = format!("{name}.{number}");
            if field.fields.is_empty() {
                self.check_value(field, &at, &self.flat[&at])?;
            }
            for inner in &field.fields {
                let at = format!("{at}.{}", inner.name);
                match self.text(&at) {
                    Some(value) => self.check_value(inner, &at, value)?,
                    None if inner.required => return Err(Failure::missing(self.action, &at)),
                    None => {}
                }
            }
        }
        Ok(())
    }

    fn check_value(&self, field: &Field, at: &str, value: &str) -> Result<(), Failure> {
        let fits = match field.kind {
            Kind::Boolean if self.variants.is_on(Variant::BooleansIgnoreCase) => {
                value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
            }
            Kind::Boolean => matches!(value, "true" | "false"),
            Kind::Integer => value.parse::<i64>().is_ok(),
            _ => true,
        };
        if !fits {
            let kind = if field.kind == Kind::Boolean { "it is true or false" } else { "it is a whole number" };
            return Err(self.illegal(at, kind));
        }
        let values = self.values_of(field);
        if !values.is_empty() && !is_one_of(&values, value) {
            return Err(self.illegal(at, &format!("it is one of {}", values.join(", "))));
        }
        if let (Some(page), "MaxResults") = (self.action.page, at) {
            let bounds = page.bounds(&self.variants);
            if value.parse().is_ok_and(|size| !bounds.contains(&size)) {
                return Err(self.illegal(at, &format!("it is from {} to {}", bounds.start(), bounds.end())));
            }
        }
        text::check(at, value, &self.variants).map_err(|must| self.illegal(at, must))
    }

    /// The only values that `field` takes; empty: any.
    fn values_of<'f>(&self, field: &'f Field) -> Vec<&'f str> {
        let described = field.values.iter().map(String::as_str);
        if field.name != "ResourceAllocateMode" {
            return described.collect();
        }
        let spellings: &[&str] = match self.variants.value(Variant::ManualSpelling) {
            "both" => &["Manual", "Mannual"],
            "Mannual" => &["Mannual"],
            _ => &["Manual"],
        };
        described.filter(|one| *one != "Manual").chain(spellings.iter().copied()).collect()
    }
}

impl<'p> Item<'p, '_> {
    /// The text of one of its fields, if it is set.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&'p str> {
        self.params.text(&self.path(field))
    }

    /// The text of one of its fields.
    ///
    /// # Errors
    /// The vendor's refusal of a call without it.
    pub fn need(&self, field: &str) -> Result<&'p str, Failure> {
        self.params.need(&self.path(field))
    }

    /// Where the field is on the wire, such as `Zone.2.ip`.
    #[must_use]
    pub fn path(&self, field: &str) -> String {
        format!("{}.{}.{field}", self.list, self.number)
    }
}

/// 2 of `Zone.2.ip`, where the list is `Zone`.
fn numbered(name: &str, list: &str) -> Option<usize> {
    let rest = name.strip_prefix(list)?.strip_prefix('.')?;
    rest.split('.').next()?.parse().ok()
}

/// Clients in use send `vpcendpoint` of the tag calls as `VpcEndpoint` too; every other value is told by its case.
fn is_one_of(values: &[&str], value: &str) -> bool {
    let ignores_case = values.contains(&"vpcendpoint");
    values.iter().any(|one| if ignores_case { one.eq_ignore_ascii_case(value) } else { *one == value })
}

#[cfg(test)]
mod tests {
    use super::Params;
    use crate::alibaba::description::PRIVATELINK;
    use crate::world::Variants;

    fn check(action: &str, query: &str) -> Result<(), String> {
        check_in(&Variants::default(), action, query)
    }

    fn check_in(variants: &Variants, action: &str, query: &str) -> Result<(), String> {
        let action = &PRIVATELINK.actions[action];
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let checked = Params::check(action, variants, pairs);
        checked.map(|_| ()).map_err(|failure| format!("{}: {}", failure.code, failure.message))
    }

    #[test]
    fn what_the_description_leaves_open_is_the_worlds_choice() {
        let mode = "UpdateVpcEndpointZoneConnectionResourceAttribute";
        let (one_n, two_n) = ("ResourceAllocateMode=Manual", "ResourceAllocateMode=Mannual");
        let (update, users) = ("UpdateVpcEndpointServiceAttribute", "ListVpcEndpointServiceUsers");
        let (lower, upper) = ("AutoAcceptEnabled=true", "AutoAcceptEnabled=True");
        for (name, value, action, taken, refused, must) in [
            ("manualSpelling", "Manual", mode, vec![one_n], vec![two_n], "it is one of Auto, Manual."),
            ("manualSpelling", "both", mode, vec![one_n, two_n], vec![], ""),
            ("manualSpelling", "Mannual", mode, vec![two_n], vec![one_n], "it is one of Auto, Mannual."),
            ("booleansIgnoreCase", "true", update, vec![lower, upper], vec![], ""),
            ("booleansIgnoreCase", "false", update, vec![lower], vec![upper], "it is true or false."),
            ("pageBounds", "documented", users, vec!["MaxResults=50"], vec!["MaxResults=0"], "it is from 1 to 50."),
            (
                "pageBounds",
                "metadata",
                users,
                vec!["MaxResults=0", "MaxResults=1000"],
                vec!["MaxResults=1001"],
                "it is from 0 to 1000.",
            ),
        ] {
            let variants = Variants::default().with(name, value).expect("a value of the table");
            let call = |parameter: &str| {
                let zone = if action == mode { "&EndpointId=ep-1&ZoneId=z" } else { "" };
                check_in(&variants, action, &format!("RegionId=r&ServiceId=epsrv-1{zone}&{parameter}"))
            };
            for parameter in taken {
                assert_eq!(call(parameter), Ok(()), "{name}={value}: {parameter}");
            }
            for parameter in refused {
                let says = call(parameter).expect_err("refused");
                assert!(says.ends_with(must), "{name}={value}: {says}");
            }
        }
    }

    #[test]
    fn a_whole_call_passes_and_is_read_by_name() {
        let query = "Action=CreateVpcEndpoint&RegionId=cn-hangzhou&VpcId=vpc-1&ProtectedEnabled=True&Zone.2.ip=10.0.0.9\
                     &Zone.1.ZoneId=z&SecurityGroupId.1=sg-1&SecurityGroupId.2=sg-2&CrossRegionBandwidth=100&EndpointName=";
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let params = Params::check(&PRIVATELINK.actions["CreateVpcEndpoint"], &Variants::default(), pairs)
            .expect("nothing is wrong");
        assert_eq!(params.text("VpcId"), Some("vpc-1"));
        assert_eq!(params.text("EndpointName"), None);
        assert_eq!(params.flag("ProtectedEnabled"), Some(true));
        assert_eq!(params.number::<u32>("CrossRegionBandwidth"), Ok(Some(100)));
        assert_eq!(params.list("SecurityGroupId"), ["sg-1", "sg-2"]);
        let zones: Vec<_> = params.items("Zone").iter().map(|zone| (zone.text("ZoneId"), zone.text("ip"))).collect();
        assert_eq!(zones, [(Some("z"), None), (None, Some("10.0.0.9"))]);
        assert!(params.telling().all(|(name, _)| name != "Action"));
    }

    #[test]
    fn what_is_wrong_is_refused_by_name() {
        let service = "RegionId=r&ServiceId=epsrv-1";
        for (action, query, refusal) in [
            (
                "GetVpcEndpointServiceAttribute",
                "RegionId=r",
                "MissingServiceId: ServiceId is mandatory for this action.",
            ),
            (
                "GetVpcEndpointServiceAttribute",
                "ServiceId=epsrv-1",
                "MissingRegionId: RegionId is mandatory for this action.",
            ),
            (
                "GetVpcEndpointServiceAttribute",
                &format!("{service}&Nonsense=1"),
                "InvalidParameter.Nonsense: Parameter Nonsense is not known to this action; leave it out or correct its name.",
            ),
            (
                "UpdateVpcEndpointServiceAttribute",
                &format!("{service}&ConnectBandwidth=wide"),
                "IllegalParamFormat.ConnectBandwidth: The specified value of parameter ConnectBandwidth is not valid: it is a whole number.",
            ),
            (
                "UpdateVpcEndpointServiceAttribute",
                &format!("{service}&AutoAcceptEnabled=yes"),
                "IllegalParamFormat.AutoAcceptEnabled: The specified value of parameter AutoAcceptEnabled is not valid: it is true or false.",
            ),
            (
                "ListVpcEndpointServiceUsers",
                &format!("{service}&MaxResults=51"),
                "InvalidParameter.MaxResults: The specified value of parameter MaxResults is not valid: it is from 1 to 50.",
            ),
            (
                "UpdateVpcEndpointZoneConnectionResourceAttribute",
                &format!("{service}&EndpointId=ep-1&ZoneId=z&ResourceAllocateMode=Mannual"),
                "IllegalParam.ResourceAllocateMode: The specified value of parameter ResourceAllocateMode is not valid: it is one of Auto, Manual.",
            ),
            (
                "CreateVpcEndpoint",
                "RegionId=r&VpcId=v&SecurityGroupId.1=a&SecurityGroupId.3=b",
                "InvalidParameter.SecurityGroupId: The specified value of parameter SecurityGroupId is not valid: its items are numbered from 1 without gaps.",
            ),
            (
                "CreateVpcEndpoint",
                "RegionId=r&VpcId=v&Zone.1.Ip=10.0.0.1",
                "InvalidParameter.Ip: Parameter Zone.1.Ip is not known to this action; leave it out or correct its name.",
            ),
            (
                "CreateVpcEndpoint",
                "RegionId=r&VpcId=v&VpcId=w",
                "InvalidParameter.VpcId: The specified value of parameter VpcId is not valid: it is given once only.",
            ),
            (
                "TagResources",
                "RegionId=r&ResourceType=vpcendpoint&ResourceId.1=ep-1",
                "MissingTagKeyParam: Tag.1.Key is mandatory for this action.",
            ),
            (
                "TagResources",
                "RegionId=r&ResourceType=vpcendpoint&ResourceId.1=ep-1&Tag.1.Key=acs:x&Tag.1.Value=",
                "IllegalTagKeyParam: The specified value of parameter Tag.1.Key is not valid: it has 1 to 64 characters, does not start with aliyun or acs: and holds no link.",
            ),
        ] {
            assert_eq!(check(action, query), Err(refusal.to_owned()), "{action} {query}");
        }
    }

    #[test]
    fn every_required_parameter_is_asked_for() {
        let mut asked = 0;
        for (name, action) in &PRIVATELINK.actions {
            for field in action.request.iter().filter(|field| field.required) {
                let others: Vec<_> = action
                    .request
                    .iter()
                    .filter(|other| other.required && other.name != field.name)
                    .map(|other| (other.name.clone(), other.values.first().cloned().unwrap_or_else(|| "1".to_owned())))
                    .map(|(name, value)| match name.as_str() {
                        "Tag" => ("Tag.1.Key".to_owned(), value),
                        "ResourceId"
                            if action.parameter("ResourceId").is_some_and(|field| field.kind == super::Kind::Array) =>
                        {
                            ("ResourceId.1".to_owned(), value)
                        }
                        "AutoAllocatedEnabled" => (name, "true".to_owned()),
                        _ => (name, value),
                    })
                    .collect();
                let failure = Params::check(action, &Variants::default(), others).expect_err("a parameter is missing");
                assert!(failure.message.ends_with("is mandatory for this action."), "{name}: {failure:?}");
                asked += 1;
            }
        }
        assert!(asked > 80, "{asked}");
    }
}
