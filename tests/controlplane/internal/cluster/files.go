package cluster

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"privatelink.dev/operator/tests/controlplane/internal/pki"
)

// writeFiles puts all that the programs read into dir, and returns the CA and the administrator's
// certificate for the launcher's own requests.
func writeFiles(dir, server string) (*pki.CA, pki.Pair, error) {
	fail := func(err error) (*pki.CA, pki.Pair, error) { return nil, pki.Pair{}, err }
	ca, err := pki.NewCA("privatelink-tests")
	if err != nil {
		return fail(err)
	}
	// 10.0.0.1 is the first address of the range of Services: the one of the Service "kubernetes".
	serving, err := ca.Server("kube-apiserver", []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 0, 0, 1)},
		[]string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"})
	if err != nil {
		return fail(err)
	}
	admin, err := ca.Client("privatelink-tests-admin", "system:masters")
	if err != nil {
		return fail(err)
	}
	manager, err := ca.Client("system:kube-controller-manager")
	if err != nil {
		return fail(err)
	}
	tokenKey, tokenPublic, err := pki.SigningKey()
	if err != nil {
		return fail(err)
	}
	adminConfig, err := kubeconfig(server, ca, admin)
	if err != nil {
		return fail(err)
	}
	managerConfig, err := kubeconfig(server, ca, manager)
	if err != nil {
		return fail(err)
	}
	for name, content := range map[string][]byte{
		caFile:            ca.CertPEM,
		serverCertFile:    serving.Cert,
		serverKeyFile:     serving.Key,
		tokenKeyFile:      tokenKey,
		tokenPublicFile:   tokenPublic,
		adminKubeconfig:   adminConfig,
		managerKubeconfig: managerConfig,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return fail(fmt.Errorf("write %s: %w", name, err))
		}
	}
	return ca, admin, nil
}

// writeAuditPolicy has the API server write down what one user asks for, and how that was decided.
func writeAuditPolicy(dir, user string) error {
	type object = map[string]any
	policy, err := json.Marshal(object{
		"apiVersion": "audit.k8s.io/v1",
		"kind":       "Policy",
		"omitStages": []string{"RequestReceived"},
		"rules":      []object{{"level": "Metadata", "users": []string{user}}, {"level": "None"}},
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, auditPolicyFile), policy, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", auditPolicyFile, err)
	}
	return nil
}

// kubeconfig is a file for one user of one server, as JSON, which is YAML too.
func kubeconfig(server string, ca *pki.CA, user pki.Pair) ([]byte, error) {
	const name = "privatelink-tests"
	type object = map[string]any
	return json.MarshalIndent(object{
		"apiVersion": "v1",
		"kind":       "Config",
		"clusters": []object{{"name": name, "cluster": object{
			"server": server, "certificate-authority-data": ca.CertPEM,
		}}},
		"users": []object{{"name": name, "user": object{
			"client-certificate-data": user.Cert, "client-key-data": user.Key,
		}}},
		"contexts":        []object{{"name": name, "context": object{"cluster": name, "user": name}}},
		"current-context": name,
	}, "", "  ")
}
