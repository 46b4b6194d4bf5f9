//! What can be wrong, and what a person then reads: the rows of docs/reference/failures.md, each shown by a test.

/// One way to go wrong.
#[derive(Debug)]
pub struct Row {
    /// What is wrong.
    pub wrong: &'static str,
    /// Kind of the object that says so.
    pub object: &'static str,
    /// Its conditions.
    pub conditions: &'static str,
    /// Their reason.
    pub reason: &'static str,
    /// Their message.
    pub message: &'static str,
    /// What to do, and when it is seen.
    pub remedy: &'static str,
}

pub const fn row(
    object: &'static str,
    wrong: &'static str,
    conditions: &'static str,
    reason: &'static str,
    message: &'static str,
    remedy: &'static str,
) -> Row {
    Row { wrong, object, conditions, reason, message, remedy }
}

const ACCOUNT: &str = "CloudAccount";
const SERVICE: &str = "EndpointService";
pub const STALLED: &str = "Ready=False, Stalled=True";
pub const INVALID: &str = "Ready=False, Stalled=True, Valid=False";
const SECRET: &str = "Correct the Secret: it is used at once.";
pub const SPEC: &str = "Correct the spec: it is used at once.";
pub const ASK: &str = "Mend it in the cloud, then set the annotation `privatelink.dev/reconcile-requested-at` to a new value, or wait up to an hour. Other credentials are used at once.";

/// The credentials of an account.
pub const CREDENTIALS: &[Row] = &[
    row(
        ACCOUNT,
        "The secret does not belong to the access key",
        STALLED,
        "CredentialsInvalid",
        "the cloud refuses the credentials: SignatureDoesNotMatch: the secret does not belong to the access key: correct the credentials that spec.credentials of the CloudAccount names. The cloud says: The request signature does not conform to Aliyun standards. server string to sign is: ACS3-HMAC-SHA256 …",
        SECRET,
    ),
    row(
        SERVICE,
        "The credentials of its account fail",
        "Ready=False",
        "CredentialsInvalid",
        "CloudAccount prod is not usable: its own Ready condition says why",
        "See the CloudAccount; the service goes on by itself.",
    ),
    row(
        ACCOUNT,
        "There is no such access key",
        STALLED,
        "CredentialsInvalid",
        "the cloud refuses the credentials: InvalidAccessKeyId.NotFound: the access key does not exist, or is not in use: correct the credentials that spec.credentials of the CloudAccount names. The cloud says: Specified access key is not found.",
        SECRET,
    ),
    row(
        ACCOUNT,
        "A temporary key comes without its security token",
        STALLED,
        "CredentialsInvalid",
        "the cloud refuses the credentials: MissingSecurityToken: the key needs a security token: correct the credentials that spec.credentials of the CloudAccount names. The cloud says: SecurityToken is mandatory for this key.",
        SECRET,
    ),
    row(
        ACCOUNT,
        "The security token belongs to another key",
        STALLED,
        "CredentialsInvalid",
        "the cloud refuses the credentials: InvalidSecurityToken.MismatchWithAccessKey: the security token has expired, or does not belong to the key: correct the credentials that spec.credentials of the CloudAccount names. The cloud says: Specified SecurityToken mismatch with the AccessKey.",
        SECRET,
    ),
    row(
        ACCOUNT,
        "The security token has expired",
        STALLED,
        "CredentialsInvalid",
        "the cloud refuses the credentials: InvalidSecurityToken.Expired: the security token has expired, or does not belong to the key: correct the credentials that spec.credentials of the CloudAccount names. The cloud says: Specified SecurityToken is expired.",
        SECRET,
    ),
    row(
        ACCOUNT,
        "The Secret lacks a key",
        STALLED,
        "CredentialsInvalid",
        "Secret privatelink-system/prod: key accessKeySecret is missing: add it with the value that the RAM console shows",
        SECRET,
    ),
    row(
        ACCOUNT,
        "A key of the Secret is empty",
        STALLED,
        "CredentialsInvalid",
        "Secret privatelink-system/prod: key accessKeyId is empty: add it with the value that the RAM console shows",
        SECRET,
    ),
    row(
        ACCOUNT,
        "A key of the Secret holds a blank",
        STALLED,
        "CredentialsInvalid",
        "Secret privatelink-system/prod: key accessKeySecret holds a space, a line break or another character that no access key has: write it again without quotes and line breaks, for example with printf instead of echo",
        SECRET,
    ),
    row(
        ACCOUNT,
        "There is no such Secret",
        STALLED,
        "CredentialsInvalid",
        "credentials.secretRef: there is no Secret privatelink-system/prod: create it",
        "Create it: it is used at once.",
    ),
    row(
        ACCOUNT,
        "The Secret holds a key of another account",
        STALLED,
        "AccountMismatch",
        "the credentials belong to account 1002000000000002, and status.accountId is 1001000000000001: nothing is read or written with them; give credentials of account 1001000000000001",
        SECRET,
    ),
    row(
        SERVICE,
        "A service is changed while its account's key is another's",
        "Ready=False",
        "AccountMismatch",
        "CloudAccount prod is not usable: its own Ready condition says why",
        "See the CloudAccount; the change is made by itself.",
    ),
    row(
        ACCOUNT,
        "A clock is wrong by more than 15 minutes",
        STALLED,
        "ClockSkew",
        "the cloud does not say whose the credentials are: InvalidTimeStamp.Expired: the clock of this machine is more than 15 minutes away from the cloud's: synchronise the clock of the node. The cloud says: Specified time stamp or date value is expired.",
        "Set the clock: it is tried again every minute, and at once with `privatelink.dev/reconcile-requested-at`.",
    ),
];

/// The spec of an account.
pub const ACCOUNTS: &[Row] = &[
    row(
        ACCOUNT,
        "The Secret is in a namespace that the operator does not read",
        INVALID,
        "InvalidSpec",
        "credentials.secretRef.namespace: the operator reads credentials in privatelink-system only: move the Secret there, or add team-a to --credential-namespaces",
        SPEC,
    ),
    row(
        ACCOUNT,
        "A plain `http://` endpoint on another machine",
        "refused by the API server",
        "Invalid",
        "CloudAccount.privatelink.dev \"prod\" is invalid: spec: Invalid value: endpoints: http:// goes to this machine only: write https://, or set allow.insecureEndpoints: true",
        SPEC,
    ),
    row(
        ACCOUNT,
        "A cloud that this version does not speak to",
        INVALID,
        "UnsupportedByCloud",
        "aws: this version speaks to Alibaba Cloud only: use an account with alibaba",
        "Use another account.",
    ),
    row(
        ACCOUNT,
        "`accountId` is not the credentials' account",
        STALLED,
        "AccountMismatch",
        "the credentials belong to account 1001000000000001, and spec.accountId is 1002000000000002: nothing is read or written with them; give credentials of account 1002000000000002",
        SECRET,
    ),
    row(
        SERVICE,
        "The account's region does not exist",
        STALLED,
        "InvalidSpec",
        "the cloud cannot be read: RegionNotFound: the region does not exist: correct the region that the spec names: spec.region of the CloudAccount, or spec.supportedRegions. The cloud says: The specified region \"cn-nowhere\" does not exist.",
        "The region of an account is immutable: create another.",
    ),
    row(
        ACCOUNT,
        "The account is being deleted while objects need it",
        "Ready=False",
        "BlockedByDependents",
        "being deleted, and kept by EndpointService team-a/settled",
        "Delete the objects: the account then goes by itself.",
    ),
    row(
        SERVICE,
        "The account is being deleted",
        INVALID,
        "AccountNotPermitted",
        "accountRef: CloudAccount prod is being deleted and takes no new object: create the object with another account, or the account again once it is gone",
        "Create the account again, or the service with another.",
    ),
    row(
        SERVICE,
        "There is no such account",
        INVALID,
        "ReferenceNotFound",
        "accountRef: there is no CloudAccount prod: create it, or correct the name",
        "Create the account: the service goes on at once.",
    ),
    row(
        SERVICE,
        "The account does not let the namespace in",
        INVALID,
        "AccountNotPermitted",
        "accountRef: CloudAccount prod does not let namespace team-a use it: ask its administrator to add it to allowedNamespaces",
        "Allow the namespace: the service goes on at once.",
    ),
];

/// Who an account is, and what it opens.
pub const IDENTITIES: &[Row] = &[
    row(
        ACCOUNT,
        "`credentials.workloadIdentity`, and a variable of RRSA is missing",
        STALLED,
        "CredentialsInvalid",
        "environment variable ALIBABA_CLOUD_OIDC_TOKEN_FILE is missing: annotate the operator's service account for RRSA so that its pods get the variables, or set all three of them, or use credentials.secretRef",
        "Set it: the operator starts anew with it.",
    ),
    row(
        ACCOUNT,
        "`credentials.environment`, and half a key is set",
        STALLED,
        "CredentialsInvalid",
        "environment variable ALIBABA_CLOUD_ACCESS_KEY_ID is missing: set it on the operator's container, or use credentials.secretRef",
        "Set it: the operator starts anew with it.",
    ),
    row(
        ACCOUNT,
        "The file with the token of the ServiceAccount is not there",
        STALLED,
        "CredentialsInvalid",
        "the cloud refuses the credentials: <no token>: the token file /var/run/secrets/ack.alibabacloud.com/rrsa-tokens/token, which ALIBABA_CLOUD_OIDC_TOKEN_FILE names, cannot be read (No such file or directory (os error 2)): mount the service account's token there, and let the operator's user read it",
        "Mount it: the file is read again every minute.",
    ),
    row(
        ACCOUNT,
        "The token is one of another ServiceAccount",
        STALLED,
        "PermissionDenied",
        "the cloud does not say whose the credentials are: AuthenticationFail.NoPermission: the role may not be assumed with the ServiceAccount's token: let ALIBABA_CLOUD_OIDC_PROVIDER_ARN be a provider of the account, and the trust policy of the role in ALIBABA_CLOUD_ROLE_ARN name that provider, the cluster's oidc:iss, the oidc:aud sts.aliyuncs.com and the oidc:sub system:serviceaccount:<namespace>:privatelink-operator. The cloud says: There is no permission.",
        "Correct the role's trust policy, or the operator's ServiceAccount: it is tried again every minute.",
    ),
    row(
        ACCOUNT,
        "`credentials.instanceRole`, and the machine has no role",
        STALLED,
        "CredentialsInvalid",
        "the cloud refuses the credentials: <http 404>: the machine's metadata service: the machine has no RAM role: attach one to the ECS instance, or correct ALIBABA_CLOUD_ECS_METADATA",
        "Attach a role: it is tried again every minute.",
    ),
    row(
        ACCOUNT,
        "`alibaba.assumeRole`, and there is no such role",
        STALLED,
        "CredentialsInvalid",
        "the cloud refuses the credentials: EntityNotExist.Role: the role does not exist: correct alibaba.assumeRole.arn of the CloudAccount, or for workloadIdentity ALIBABA_CLOUD_ROLE_ARN and ALIBABA_CLOUD_OIDC_PROVIDER_ARN, or create the role. The cloud says: The role not exists: acs:ram::1002000000000002:role/nobody.",
        SPEC,
    ),
    row(
        ACCOUNT,
        "`alibaba.assumeRole`, and the role wants another external id",
        STALLED,
        "PermissionDenied",
        "the cloud does not say whose the credentials are: NoPermission: the credentials may not assume the role: let the trust policy of the role in alibaba.assumeRole.arn name the calling user or role and, if it asks for one, the sts:ExternalId in alibaba.assumeRole.externalId; allow sts:AssumeRole on the role to the caller, which cannot be the account itself. The cloud says: You are not authorized to do this action. You should be authorized by RAM.",
        SPEC,
    ),
    row(
        ACCOUNT,
        "`alibaba.openProduct`, and the account may not open the product",
        STALLED,
        "FeatureNotEnabled",
        "OpenProduct of the product: InvalidAccountStatus.NotEnoughBalance: the account's balance is too low: charge the account: it is tried again every hour. The cloud says: The account has not enough balance.",
        ASK,
    ),
];

/// The way to the cloud.
pub const WAY: &[Row] = &[
    row(
        ACCOUNT,
        "The cloud cannot be reached",
        "Ready=False",
        "CloudUnavailable",
        "the cloud cannot be read: <connect>: no connection: client error (Connect): tcp connect error: Connection refused (os error 111); check the network, the proxy, and region and endpoints of the CloudAccount: it is tried again",
        "It is tried again by itself.",
    ),
    row(
        SERVICE,
        "The cloud cannot be reached for its account",
        "Ready=False",
        "CloudUnavailable",
        "CloudAccount prod is not usable: its own Ready condition says why",
        "See the CloudAccount.",
    ),
    row(
        SERVICE,
        "PrivateLink cannot be reached",
        "Ready=False",
        "CloudUnavailable",
        "the cloud cannot be read: <connect>: no connection: client error (Connect): tcp connect error: Connection refused (os error 111); check the network, the proxy, and region and endpoints of the CloudAccount: it is tried again",
        "It is tried again by itself.",
    ),
    row(
        ACCOUNT,
        "The cloud throttles the account's calls",
        "Ready=False",
        "Throttled",
        "the cloud cannot be read: Throttling.User: the cloud asks to be called less often: wait: it is tried again. The cloud says: Request was denied due to user flow control.",
        "It is tried again by itself.",
    ),
    row(
        SERVICE,
        "The cloud throttles reads",
        "Ready=False",
        "Throttled",
        "the cloud cannot be read: Throttling.User: the cloud asks to be called less often: wait: it is tried again. The cloud says: Request was denied due to user flow control.",
        "It is tried again by itself.",
    ),
    row(
        SERVICE,
        "The cloud throttles writes",
        "Ready=False, Reconciling=True",
        "Throttled",
        "CreateService of the service with lb-hot: Throttling.User: the cloud asks to be called less often: wait: it is tried again. The cloud says: Request was denied due to user flow control.",
        "It is tried again by itself.",
    ),
    row(
        SERVICE,
        "The cloud fails",
        "Ready=False, Reconciling=True",
        "CloudUnavailable",
        "CreateService of the service with lb-hot: ServiceUnavailable: the cloud does not answer: wait: it is tried again. The cloud says: The service is not able to answer now.",
        "It is tried again by itself.",
    ),
];

/// What the cloud refuses.
pub const REFUSED: &[Row] = &[
    row(
        SERVICE,
        "PrivateLink is not switched on for the account",
        STALLED,
        "FeatureNotEnabled",
        "CreateService of the service with lb-hot: NeedOpenProduct: PrivateLink is not switched on for the account: switch it on at https://common-buy.aliyun.com/?commodityCode=privatelink_postpay_public_cn (international accounts: in the VPC console, under Endpoints), or set alibaba.openProduct: true on the CloudAccount. The cloud says: PrivateLink has not been activated for the account.",
        ASK,
    ),
    row(
        SERVICE,
        "The credentials may not create services",
        STALLED,
        "PermissionDenied",
        "CreateService of the service with lb-hot: NoPermission: the credentials may not call CreateVpcEndpointService: allow CreateVpcEndpointService to the user or role of the CloudAccount. The cloud says: You are not authorized to perform CreateVpcEndpointService.",
        ASK,
    ),
    row(
        SERVICE,
        "The credentials may not read services",
        STALLED,
        "PermissionDenied",
        "the cloud cannot be read: NoPermission: the credentials may not call ListVpcEndpointServices: allow ListVpcEndpointServices to the user or role of the CloudAccount. The cloud says: You are not authorized to perform ListVpcEndpointServices.",
        ASK,
    ),
    row(
        SERVICE,
        "A quota is used up",
        "Ready=False",
        "QuotaExceeded",
        "CreateService of the service with lb-hot: QuotaMisMatched: a quota is used up: ask the cloud for a larger quota, or delete what is no longer used. The cloud says: The account may own no more endpoint services.",
        "It is tried again every few minutes.",
    ),
    row(
        SERVICE,
        "The account may not pay for its consumers",
        STALLED,
        "FeatureNotEnabled",
        "CreateService of the service with lb-hot: EndpointServicePayerForbidden: the account may not choose who pays: ask the cloud's support to enable it for the account, or make the service anew without spec.payer. The cloud says: The account may not pay for its endpoints' owners.",
        ASK,
    ),
    row(
        SERVICE,
        "The load balancer does not exist",
        STALLED,
        "ReferenceNotFound",
        "CreateService of the service with lb-nowhere: LoadBalancerNotFound: a load balancer does not exist: correct the load balancer's id in spec.resources, or create it in the account's region. The cloud says: The specified load balancer does not exist.",
        SPEC,
    ),
    row(
        SERVICE,
        "The load balancer is of another kind",
        STALLED,
        "InvalidSpec",
        "CreateService of the service with lb-hot: Mismatch.ResourceType: a load balancer is of another type than declared: correct its type in spec.resources. The cloud says: ResourceType is not the type of the specified resource.",
        SPEC,
    ),
    row(
        SERVICE,
        "PrivateLink does not take the load balancer",
        STALLED,
        "InvalidSpec",
        "CreateService of the service with lb-public: LoadBalancerNotSupportPrivateLink: a load balancer cannot serve PrivateLink: use one that can in spec.resources: a CLB must be internal and pay-as-you-go. The cloud says: The specified load balancer cannot be used with PrivateLink.",
        SPEC,
    ),
    row(
        SERVICE,
        "The load balancer is in another zone",
        STALLED,
        "InvalidSpec",
        "resources: lb-hot is in cn-hangzhou-f, not in cn-hangzhou-g: correct its zone in spec.resources",
        SPEC,
    ),
    row(
        SERVICE,
        "A load balancer added later does not exist",
        STALLED,
        "ReferenceNotFound",
        "AttachResource of lb-nowhere in cn-hangzhou-f: LoadBalancerNotFound: a load balancer does not exist: correct the load balancer's id in spec.resources, or create it in the account's region. The cloud says: The specified load balancer does not exist.",
        SPEC,
    ),
    row(
        SERVICE,
        "A region for consumers does not exist",
        STALLED,
        "InvalidSpec",
        "UpdateService of epsrv-…: UnsupportedRegion: PrivateLink does not offer this in the region: use an account in another region, or take the region off spec.supportedRegions. The cloud says: The specified region is not supported.",
        SPEC,
    ),
    row(
        SERVICE,
        "The resource group does not exist",
        STALLED,
        "ReferenceNotFound",
        "MoveService of epsrv-…: InvalidResourceGroup: the resource group does not exist: correct spec.resourceGroupId. The cloud says: The specified resource group does not exist.",
        SPEC,
    ),
    row(
        SERVICE,
        "The account owes money",
        STALLED,
        "BillingLocked",
        "epsrv-… is locked because its account owes money: settle the bill in the cloud's console",
        ASK,
    ),
    row(
        SERVICE,
        "A code that nobody knows",
        "Ready=False",
        "UnexpectedError",
        "CreateService of the service with lb-hot: SomethingNew.Strange: CreateVpcEndpointService was refused for a reason that is in no table of ours: read the cloud's own description of the code; it is tried again. The cloud says: The service is not able to answer now.",
        "It is tried again ever more slowly, up to five minutes.",
    ),
];

/// All rows, under the heading of each part of the page.
pub const PARTS: [(&str, &[Row]); 9] = [
    ("Credentials", CREDENTIALS),
    ("Accounts", ACCOUNTS),
    ("Identities", IDENTITIES),
    ("The way to the cloud", WAY),
    ("What the cloud refuses", REFUSED),
    ("What keeps an endpoint from being made", super::endpoint_rows::ENDPOINTS),
    ("What an endpoint asks for and cannot have", super::endpoint_rows::JOINING),
    ("What keeps a tenant off a service's list", super::entry_rows::LISTING),
    ("What keeps a tenant's connections from being as declared", super::entry_rows::CONNECTING),
];
