package cluster

import (
	"strconv"
	"strings"
)

// The sockets of etcd are in the control plane's folder, which is every program's own folder: no
// port, nobody else can connect, and no limit on the length of the folder's path.
const (
	etcdClientSocket = "etcd.sock"
	etcdPeerSocket   = "etcd-peer.sock"
)

// Names of the files that the programs are given.
const (
	caFile            = "ca.crt"
	serverCertFile    = "apiserver.crt"
	serverKeyFile     = "apiserver.key"
	tokenKeyFile      = "service-account.key"
	tokenPublicFile   = "service-account.pub"
	adminKubeconfig   = "admin.kubeconfig"
	managerKubeconfig = "kube-controller-manager.kubeconfig"
	auditPolicyFile   = "audit-policy.json"
	auditLogFile      = "audit.log"
)

// controllers are those that tests can notice. What moves pods, nodes and volumes is left out:
// there are none, and each one costs start-up time.
var controllers = []string{
	"clusterrole-aggregation-controller",       // tenants' rights come from aggregated roles
	"garbage-collector-controller",             // objects go with their owners
	"namespace-controller",                     // a namespace goes with what is in it
	"root-ca-certificate-publisher-controller", // each namespace has the ConfigMap that a real one has
	"serviceaccount-controller",                // each namespace has its default account
	"serviceaccount-token-controller",          // the controllers below log in by their own accounts
}

func etcdArguments() []string {
	return []string{
		"--data-dir=etcd",
		"--listen-client-urls=unix://" + etcdClientSocket,
		"--advertise-client-urls=unix://" + etcdClientSocket,
		"--listen-peer-urls=unix://" + etcdPeerSocket,
		"--initial-advertise-peer-urls=unix://" + etcdPeerSocket,
		"--initial-cluster=default=unix://" + etcdPeerSocket,
		// The data ends with the run: nothing is gained by waiting for the disk.
		"--unsafe-no-fsync",
		"--log-level=warn",
	}
}

func apiserverArguments(port int, options Options) []string {
	arguments := []string{
		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(port),
		// The launcher holds the port from before until the end.
		"--permit-port-sharing",
		"--tls-cert-file=" + serverCertFile,
		"--tls-private-key-file=" + serverKeyFile,
		"--client-ca-file=" + caFile,
		"--etcd-servers=unix://" + etcdClientSocket,
		"--authorization-mode=RBAC",
		"--service-cluster-ip-range=10.0.0.0/24",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + tokenPublicFile,
		"--service-account-signing-key-file=" + tokenKeyFile,
		// The Service "kubernetes" would need an address that is not a loopback one.
		"--endpoint-reconciler-type=none",
	}
	if options.EmulatedVersion != "" {
		arguments = append(arguments, "--emulated-version="+options.EmulatedVersion)
	}
	if options.AdmissionPlugins != "" {
		arguments = append(arguments, "--enable-admission-plugins="+options.AdmissionPlugins)
	}
	if options.AuditUser != "" {
		// Blocking: what has been answered is written down.
		arguments = append(arguments, "--audit-policy-file="+auditPolicyFile, "--audit-log-path="+auditLogFile, "--audit-log-mode=blocking")
	}
	return arguments
}

func managerArguments() []string {
	return []string{
		"--kubeconfig=" + managerKubeconfig,
		"--controllers=" + strings.Join(controllers, ","),
		"--use-service-account-credentials",
		"--service-account-private-key-file=" + tokenKeyFile,
		"--root-ca-file=" + caFile,
		"--leader-elect=false",
		// It serves metrics only.
		"--secure-port=0",
	}
}
