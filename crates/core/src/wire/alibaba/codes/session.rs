//! The codes of the token service for those who ask it for a session, by `AssumeRole` or `AssumeRoleWithOIDC`.
//!
//! Names and statuses (400, 401, 403, 404) are from the service's API description and its page of error codes. Both
//! leave open which one answers for a role that does not exist, and one code stands for several causes.

use super::{Row, row};
use crate::condition::Reason;
use crate::error::Meaning;
use crate::wire::alibaba::action::{ASSUME, FEDERATE};

const SESSION: &[&str] = &[ASSUME.name, FEDERATE.name];
const CHAINED: &[&str] = &[ASSUME.name];
const FEDERATED: &[&str] = &[FEDERATE.name];

const INVALID: Meaning = Meaning::Credentials(Reason::CredentialsInvalid);
const DENIED: Meaning = Meaning::Credentials(Reason::PermissionDenied);

const TRUST: &str = "let the trust policy of the role in alibaba.assumeRole.arn name the calling user or role and, if \
                     it asks for one, the sts:ExternalId in alibaba.assumeRole.externalId; allow sts:AssumeRole on \
                     the role to the caller, which cannot be the account itself";
const SUBJECT: &str = "let ALIBABA_CLOUD_OIDC_PROVIDER_ARN be a provider of the account, and the trust policy of the \
                       role in ALIBABA_CLOUD_ROLE_ARN name that provider, the cluster's oidc:iss, the oidc:aud \
                       sts.aliyuncs.com and the oidc:sub system:serviceaccount:<namespace>:privatelink-operator";
const TOKEN: &str = "let ALIBABA_CLOUD_OIDC_TOKEN_FILE be the file of a projected token of the operator's \
                     ServiceAccount, which the kubelet renews";
const PROVIDER: &str = "correct the issuer and its fingerprints at the OIDC provider in \
                        ALIBABA_CLOUD_OIDC_PROVIDER_ARN; its issuer is that of the cluster";
const VALUE: &str = "correct alibaba.assumeRole of the CloudAccount, or the variable ALIBABA_CLOUD_* of the operator \
                     that sets the parameter named by the code";

/// Every code that is documented for a session.
pub(super) const TABLE: &[Row] = &[
    row("NoPermission", DENIED, "the credentials may not assume the role", TRUST).of(CHAINED),
    row("NoPermission", DENIED, "the role may not be assumed with the ServiceAccount's token", SUBJECT).of(FEDERATED),
    row(
        "EntityNotExist.%s",
        INVALID,
        "the role does not exist",
        "correct alibaba.assumeRole.arn of the CloudAccount, or for workloadIdentity ALIBABA_CLOUD_ROLE_ARN and \
         ALIBABA_CLOUD_OIDC_PROVIDER_ARN, or create the role",
    ),
    row(
        "InvalidParameter.ExternalId",
        INVALID,
        "the cloud takes no such external id",
        "correct alibaba.assumeRole.externalId: 2 to 1224 letters, digits or + = , . @ : / _ -",
    ),
    row(
        "InvalidParameter.RoleArn",
        INVALID,
        "the ARN names no role",
        "correct alibaba.assumeRole.arn of the CloudAccount, or for workloadIdentity ALIBABA_CLOUD_ROLE_ARN: \
         acs:ram::<account>:role/<name>",
    ),
    row(
        "InvalidParameter.RoleSessionName",
        INVALID,
        "the cloud takes no such session name",
        "correct ALIBABA_CLOUD_ROLE_SESSION_NAME, or leave it out: letters, digits and . @ - _ are taken",
    ),
    row("InvalidParameter.%s", INVALID, "the token service refuses a value", VALUE).of(SESSION),
    row("Missing%s", INVALID, "the token service needs a value that is not set", VALUE).of(SESSION),
    row("AuthenticationFail.%s", INVALID, "the token service does not accept who asks", SUBJECT),
    row(
        "AuthenticationFail.NoPermission",
        DENIED,
        "the role may not be assumed with the ServiceAccount's token",
        SUBJECT,
    ),
    row("AuthenticationFail.OIDCToken.%s", INVALID, "the ServiceAccount's token is not accepted", TOKEN),
    row(
        "AuthenticationFail.OIDCToken.AudienceNotMatch",
        INVALID,
        "the ServiceAccount's token is for another audience",
        "project the token with the audience sts.aliyuncs.com, and have the OIDC provider in \
         ALIBABA_CLOUD_OIDC_PROVIDER_ARN list it as a client id",
    ),
    row(
        "AuthenticationFail.OIDCToken.Expired",
        INVALID,
        "the ServiceAccount's token has expired",
        "let ALIBABA_CLOUD_OIDC_TOKEN_FILE be the file of a projected token, which the kubelet renews, and compare the \
         clocks of the node and the cloud",
    ),
    row(
        "AuthenticationFail.OIDCToken.HttpsUrlInvalid",
        INVALID,
        "the token service does not trust the certificate of the cluster's issuer",
        PROVIDER,
    ),
    row(
        "AuthenticationFail.OIDCToken.InvalidSignature",
        INVALID,
        "the ServiceAccount's token is not signed by the OIDC provider's issuer",
        PROVIDER,
    ),
    row(
        "AuthenticationFail.OIDCToken.PublicKeyFingerprintMismatch",
        INVALID,
        "the certificate of the cluster's issuer has a fingerprint that the OIDC provider does not list",
        PROVIDER,
    ),
];
