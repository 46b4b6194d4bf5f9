// Package chart_test renders charts/privatelink-operator with the Helm that is built beside the control plane, and
// compares the manifests of deploy/ with it.
package chart_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const (
	root  = "../../.."
	chart = root + "/charts/privatelink-operator"
)

// variants are ways of the installation: by name, what is set besides the defaults, as JSON by path.
var variants = map[string][]string{
	"by default":         nil,
	"without CRDs":       {`crds.install=false`},
	"CRDs that go along": {`crds.keep=false`},
	"least": {
		`crds.install=false`, `replicas=1`, `serviceAccount={"create":false,"name":"mine"}`, `rbac={"create":false,"userRoles":false}`,
		`admissionPolicy.enabled=false`, `networkPolicy.enabled=false`, `podDisruptionBudget.enabled=false`,
		`topologySpreadConstraints=[]`, `resources={}`,
	},
	"most": {
		`fullnameOverride="links"`, `commonLabels={"team":"platform"}`, `image={"repository":"registry.example.com:5000/links","digest":"sha256:` + strings.Repeat("0a", 32) + `"}`,
		`imagePullSecrets=[{"name":"registry"}]`, `clusterId="prod-1"`, `credentialNamespaces=["team-a","team-b"]`, `publish.enabled=true`,
		`log={"format":"text","level":"info,privatelink_operator=debug"}`, `proxy={"https":"http://proxy.example.com:3128","none":"10.0.0.0/8,.svc"}`,
		`extraCa.configMap="authorities"`, `alibaba={"metadataEndpoint":"http://100.100.100.200","rrsa":{"roleArn":"acs:ram::1234567890123456:role/r","oidcProviderArn":"acs:ram::1234567890123456:oidc-provider/p"}}`,
		`extraEnv=[{"name":"ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED","value":"true"}]`, `serviceAccount.annotations={"pod-identity.alibabacloud.com/role-name":"r"}`,
		`networkPolicy={"metricsFrom":[{"namespaceSelector":{}}],"egress":{"enabled":true,"ports":[443,3128]}}`, `podDisruptionBudget.maxUnavailable="50%"`,
		`topologySpreadConstraints=[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule","labelSelector":{}}]`,
		`tolerations=[{"operator":"Exists"}]`, `affinity={"nodeAffinity":{}}`, `priorityClassName="system-cluster-critical"`,
		`podLabels={"a":"b"}`, `podAnnotations={"c":"d"}`, `podMonitor={"enabled":true,"labels":{"release":"prometheus"}}`,
		`prometheusRule={"enabled":true,"labels":{"release":"prometheus"}}`, `dashboard={"enabled":true,"annotations":{"folder":"links"}}`,
	},
	"proxy of a Secret": {`proxy.secret.name="proxy"`, `proxy.https="http://not.this.example.com:1"`},
}

type object = map[string]any

// program is the path of one that is built beside the control plane.
func program(t *testing.T, name string) string {
	t.Helper()
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" {
		return filepath.Join(assets, name)
	}
	where := exec.Command("../build", "--where")
	for _, variable := range os.Environ() {
		// It is not the programs that an existing cluster makes unnecessary.
		if !strings.HasPrefix(variable, "KUBECONFIG=") {
			where.Env = append(where.Env, variable)
		}
	}
	var complaint bytes.Buffer
	where.Stderr = &complaint
	folder, err := where.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, complaint.String())
	}
	return filepath.Join(strings.TrimSpace(string(folder)), name)
}

// run gives both outputs of a command, and whether it succeeded.
func run(t *testing.T, name string, arguments ...string) (stdout, stderr string, ok bool) {
	t.Helper()
	command := exec.Command(program(t, name), arguments...)
	// Nobody's own settings and plugins.
	home := t.TempDir()
	command.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	var out, errors bytes.Buffer
	command.Stdout, command.Stderr = &out, &errors
	err := command.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return out.String(), errors.String(), err == nil
}

// template is what Helm is asked, with values as JSON by path.
func template(values []string, more ...string) []string {
	arguments := []string{"template", "privatelink-operator", chart, "--namespace", "privatelink-system"}
	for _, value := range values {
		arguments = append(arguments, "--set-json", value)
	}
	return append(arguments, more...)
}

// documents parses a stream, strictly, into objects by kind, namespace and name.
func documents(t *testing.T, stream string) map[string]object {
	t.Helper()
	objects := map[string]object{}
	for _, document := range regexp.MustCompile(`(?m)^---$`).Split(stream, -1) {
		var parsed object
		if err := yaml.UnmarshalStrict([]byte(document), &parsed); err != nil {
			t.Fatalf("%v in:\n%s", err, document)
		}
		if parsed == nil {
			continue
		}
		kind, _ := parsed["kind"].(string)
		version, _ := parsed["apiVersion"].(string)
		name, _ := at(parsed, "metadata", "name").(string)
		namespace, _ := at(parsed, "metadata", "namespace").(string)
		if kind == "" || version == "" || name == "" {
			t.Fatalf("not an object:\n%s", document)
		}
		key := kind + " " + namespace + "/" + name
		if objects[key] != nil {
			t.Fatalf("there are two of %s", key)
		}
		objects[key] = parsed
	}
	return objects
}

// rendered is what the chart makes of values.
func rendered(t *testing.T, values []string, more ...string) map[string]object {
	t.Helper()
	stdout, stderr, ok := run(t, "helm", template(values, more...)...)
	if !ok {
		t.Fatal(stderr)
	}
	return documents(t, stdout)
}

// versions are that of the chart and that of what it installs.
func versions(t *testing.T) (chartVersion, appVersion string) {
	t.Helper()
	text, err := os.ReadFile(chart + "/Chart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var about struct{ Version, AppVersion string }
	if err := yaml.Unmarshal(text, &about); err != nil {
		t.Fatal(err)
	}
	return about.Version, about.AppVersion
}

// at is the value at a path of fields; nil where there is none.
func at(value any, path ...string) any {
	for _, field := range path {
		fields, ok := value.(object)
		if !ok {
			return nil
		}
		value = fields[field]
	}
	return value
}
