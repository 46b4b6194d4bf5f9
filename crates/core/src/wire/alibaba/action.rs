//! Every action of the cloud that is called, in one list: the policies that let an identity call them, and nothing
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
}

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// It changes nothing.
    Read,
    /// It changes something.
    Write,
    /// It gives keys of a role.
    Session,
}

impl Action {
    /// Name by which a policy allows it.
    #[must_use]
    pub fn permission(&self) -> String {
        format!("{}:{}", self.product.as_str(), self.name)
    }
}

/// Assumes a role with keys.
pub const ASSUME: Action = Action { product: Product::Sts, name: "AssumeRole", access: Access::Session };
/// Assumes a role with a token of the cluster; nobody signs it, so no policy allows it but the role's own trust policy.
pub const FEDERATE: Action = Action { product: Product::Sts, name: "AssumeRoleWithOIDC", access: Access::Session };
