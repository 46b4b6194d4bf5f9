//! Every action of the cloud that is called, in one list: the policies that let an identity call these, and nothing
//! else, are made from it.

use super::Product;

/// One action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Action {
    /// Product.
    pub product: Product,
    /// Name, as the call has it.
    pub name: &'static str,
    /// What it does there.
    pub access: Access,
    /// The field of a spec without which it is never called.
    pub only_with: Option<&'static str>,
    /// What it is called for, as an end of the sentence "it is called to".
    pub purpose: &'static str,
}

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// It changes nothing.
    Read,
    /// It changes something.
    Write,
    /// It gives the keys of a role.
    Session,
}

impl Action {
    /// The name by which a policy allows it.
    #[must_use]
    pub fn permission(&self) -> String {
        format!("{}:{}", self.product.as_str(), self.name)
    }

    const fn only_with(self, field: &'static str) -> Self {
        Self { only_with: Some(field), ..self }
    }
}

const fn action(access: Access, name: &'static str, purpose: &'static str) -> Action {
    Action { product: Product::PrivateLink, name, access, only_with: None, purpose }
}

const fn read(name: &'static str, purpose: &'static str) -> Action {
    action(Access::Read, name, purpose)
}

const fn write(name: &'static str, purpose: &'static str) -> Action {
    action(Access::Write, name, purpose)
}

const fn session(name: &'static str, purpose: &'static str, field: &'static str) -> Action {
    Action { product: Product::Sts, ..action(Access::Session, name, purpose) }.only_with(field)
}

/// Assumes a role with keys.
pub const ASSUME: Action = session("AssumeRole", "become the role that the account names", "alibaba.assumeRole");

/// Assumes a role with a token of the cluster. Nobody signs it: what allows it is the role's trust policy alone.
pub const FEDERATE: Action = session(
    "AssumeRoleWithOIDC",
    "become the role of the operator's ServiceAccount",
    "credentials.workloadIdentity or credentials.environment",
);

const OPEN: &str = "alibaba.openProduct";

/// Every action, by product and name.
pub const ACTIONS: &[Action] = &[
    write("AddUserToVpcEndpointService", "let an account in to a service"),
    write("AddZoneToVpcEndpoint", "make an endpoint's interface in a vSwitch"),
    write("AttachResourceToVpcEndpointService", "put a load balancer behind a service"),
    write("AttachSecurityGroupToVpcEndpoint", "put an endpoint into a security group"),
    write("ChangeResourceGroup", "move a service or endpoint").only_with("spec.resourceGroupId"),
    read("CheckProductOpen", "see whether PrivateLink is switched on").only_with(OPEN),
    write("CreateVpcEndpoint", "make an endpoint"),
    write("CreateVpcEndpointService", "make a service"),
    write("DeleteVpcEndpoint", "delete an endpoint"),
    write("DeleteVpcEndpointService", "delete a service"),
    write("DetachResourceFromVpcEndpointService", "take a load balancer away from a service"),
    write("DetachSecurityGroupFromVpcEndpoint", "take an endpoint out of a security group"),
    write("DisableVpcEndpointConnection", "refuse or cut a connection"),
    write("DisableVpcEndpointZoneConnection", "cut one zone of a connection, or close the side that a migration left"),
    write("EnableVpcEndpointConnection", "accept a connection"),
    write("EnableVpcEndpointZoneConnection", "connect one zone of a connection"),
    read("GetVpcEndpointAttribute", "see one endpoint, above all that it is gone"),
    read("GetVpcEndpointServiceAttribute", "see one service, above all that it is gone"),
    read("ListVpcEndpointConnections", "see who is connected to a service"),
    read("ListVpcEndpointSecurityGroups", "see the security groups of an endpoint"),
    read("ListVpcEndpointServiceResources", "see the load balancers behind a service"),
    read("ListVpcEndpointServiceUsers", "see whom a service lets in"),
    read("ListVpcEndpointServices", "see all services with their tags"),
    read("ListVpcEndpointZones", "see the interfaces of an endpoint"),
    read("ListVpcEndpoints", "see all endpoints with their tags"),
    write("OpenPrivateLinkService", "switch PrivateLink on for the account").only_with(OPEN),
    write("RemoveUserFromVpcEndpointService", "let an account in to a service no longer"),
    write("RemoveZoneFromVpcEndpoint", "remove an endpoint's interface"),
    write("TagResources", "write who owns a service or endpoint, and spec.tags"),
    write("UntagResources", "take off what spec.tags has no more, and all of ours from what is retained"),
    write("UpdateVpcEndpointAttribute", "change an endpoint"),
    write("UpdateVpcEndpointConnectionAttribute", "set the bandwidth of a connection")
        .only_with("connections.bandwidthMbps"),
    write("UpdateVpcEndpointServiceAttribute", "change a service"),
    write("UpdateVpcEndpointServiceResourceAttribute", "set autoAllocate of a load balancer"),
    write(
        "UpdateVpcEndpointZoneConnectionResourceAttribute",
        "give a zone a load balancer, another one, or one that the cloud picks",
    ),
    ASSUME,
    FEDERATE,
    Action { product: Product::Sts, ..read("GetCallerIdentity", "see whose credentials these are") },
];
