package chart_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestLint(t *testing.T) {
	for name, values := range variants {
		t.Run(name, func(t *testing.T) {
			arguments := []string{"lint", "--strict", chart}
			for _, value := range values {
				arguments = append(arguments, "--set-json", value)
			}
			stdout, stderr, ok := run(t, "helm", arguments...)
			if !ok || !strings.Contains(stdout, "1 chart(s) linted, 0 chart(s) failed") {
				t.Errorf("%s%s", stdout, stderr)
			}
		})
	}
}

// Each bad value is refused, and by its name.
func TestBadValuesAreRefusedByName(t *testing.T) {
	for value, named := range map[string]string{
		`replica=3`:                                   "'replica'",
		`replicas="2"`:                                "/replicas",
		`replicas=-1`:                                 "/replicas",
		`replicas=11`:                                 "/replicas",
		`crds.installed=true`:                         "/crds",
		`crds.keep="yes"`:                             "/crds/keep",
		`creator="me"`:                                "/creator",
		`fullnameOverride="Links"`:                    "/fullnameOverride",
		`commonLabels={"a":1}`:                        "/commonLabels/a",
		`image="links:1"`:                             "/image",
		`image.repository=""`:                         "/image/repository",
		`image.tag="a b"`:                             "/image/tag",
		`image.tag=1.2`:                               "/image/tag",
		`image.digest="sha256:1"`:                     "/image/digest",
		`image.pullPolicy="Sometimes"`:                "/image/pullPolicy",
		`imagePullSecrets=["registry"]`:               "/imagePullSecrets/0",
		`clusterId="a b"`:                             "/clusterId",
		`clusterId="` + strings.Repeat("x", 64) + `"`: "/clusterId",
		`credentialNamespaces="team-a,team-b"`:        "/credentialNamespaces",
		`credentialNamespaces=["Team A"]`:             "/credentialNamespaces/0",
		`publish=true`:                                "/publish",
		`publish.enabled="true"`:                      "/publish/enabled",
		`log.format="yaml"`:                           "/log/format",
		`log.level=""`:                                "/log/level",
		`proxy.https="proxy.example.com:3128"`:        "/proxy/https",
		`proxy.http="http://proxy.example.com:3128"`:  "/proxy",
		`proxy.secret="proxy"`:                        "/proxy/secret",
		`extraCa.configMap="An Authority"`:            "/extraCa/configMap",
		`extraCa.key="../ca.crt"`:                     "/extraCa/key",
		`alibaba.rrsa.roleArn="role/r"`:               "/alibaba/rrsa/roleArn",
		`alibaba.rrsa.roleArn="acs:ram::1:role/r"`:    "/alibaba/rrsa/oidcProviderArn",
		`alibaba.rrsa.oidcProviderArn="acs:ram::1:oidc-provider/p"`: "/alibaba/rrsa/roleArn",
		`alibaba.metadataEndpoint="100.100.100.200"`:                "/alibaba/metadataEndpoint",
		`extraEnv={"A":"b"}`:                        "/extraEnv",
		`extraEnv=[{"value":"b"}]`:                  "/extraEnv/0",
		`extraEnv=[{"name":"A","value":1}]`:         "/extraEnv/0/value",
		`serviceAccount.create=false`:               "/serviceAccount/name",
		`serviceAccount.annotations={"a":true}`:     "/serviceAccount/annotations/a",
		`rbac.create=1`:                             "/rbac/create",
		`admissionPolicy=false`:                     "/admissionPolicy",
		`networkPolicy.egress.ports=[]`:             "/networkPolicy/egress/ports",
		`networkPolicy.egress.ports=[70000]`:        "/networkPolicy/egress/ports/0",
		`podDisruptionBudget.maxUnavailable="one"`:  "/podDisruptionBudget/maxUnavailable",
		`podDisruptionBudget.minAvailable=1`:        "/podDisruptionBudget",
		`resources.limit={}`:                        "/resources",
		`topologySpreadConstraints=[{"maxSkew":1}]`: "/topologySpreadConstraints/0",
		`nodeSelector={"gpu":true}`:                 "/nodeSelector/gpu",
		`tolerations="all"`:                         "/tolerations",
		`affinity=[]`:                               "/affinity",
		`priorityClassName="High One"`:              "/priorityClassName",
		`terminationGracePeriodSeconds=10`:          "/terminationGracePeriodSeconds",
		`podMonitor.interval="30"`:                  "/podMonitor/interval",
		`podMonitor.namespace="monitoring"`:         "/podMonitor",
		`prometheusRule.groups=[]`:                  "/prometheusRule",
		`dashboard.labels=["grafana"]`:              "/dashboard/labels",
	} {
		t.Run(value, func(t *testing.T) {
			_, stderr, ok := run(t, "helm", template([]string{value})...)
			if ok || !strings.Contains(stderr, "values don't meet the specifications of the schema") || !strings.Contains(stderr, named) {
				t.Errorf("want a refusal that says %s, got: %s", named, stderr)
			}
		})
	}
}

// The schema has the names of values.yaml and no other ones, and what the chart ships passes it.
func TestSchemaHasEveryValue(t *testing.T) {
	var values, schema any
	for file, into := range map[string]any{"values.yaml": &values, "values.schema.json": &schema} {
		text, err := os.ReadFile(chart + "/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(text, into); err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	var compare func(path string, values, schema any)
	compare = func(path string, values, schema any) {
		properties, strict := at(schema, "properties").(object)
		if !strict {
			return
		}
		if at(schema, "additionalProperties") != false {
			t.Errorf("%s takes names that it does not know", path)
		}
		has, _ := values.(object)
		var known, given []string
		for name := range properties {
			known = append(known, name)
		}
		for name := range has {
			given = append(given, name)
		}
		sort.Strings(known)
		sort.Strings(given)
		// What a container may use is its own business.
		if path != "/resources" && path != "" && !slices.Equal(known, given) || path == "" && !slices.Equal(known, given) {
			t.Errorf("%s: the schema knows %v, values.yaml has %v", path, known, given)
		}
		for name := range properties {
			seen++
			compare(path+"/"+name, has[name], properties[name])
		}
	}
	compare("", values, schema)
	if seen < 50 {
		t.Errorf("only %d values were compared", seen)
	}
}

// Who reads values.yaml finds a comment before each value, or before the first of a few that speak for themselves.
func TestEveryValueIsExplained(t *testing.T) {
	text, err := os.ReadFile(chart + "/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`^ *([A-Za-z]+):`)
	plain := []string{"enabled", "labels", "annotations", "interval", "tolerations", "affinity", "nodeSelector", "priorityClassName", "podLabels", "podAnnotations", "pullPolicy", "requests", "limits", "maxUnavailable"}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		match := named.FindStringSubmatch(line)
		if match == nil || strings.HasSuffix(line, ":") || slices.Contains(plain, match[1]) {
			continue
		}
		if !strings.HasPrefix(strings.TrimSpace(lines[i-1]), "#") {
			t.Errorf("%s is not explained", strings.TrimSpace(line))
		}
	}
}

func TestChartIsOfTheVersionThatIsBuilt(t *testing.T) {
	cargo, err := os.ReadFile(root + "/Cargo.toml")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^version = "(.*)"$`).FindStringSubmatch(string(cargo))
	if chart, app := versions(t); version == nil || chart != version[1] || app != version[1] {
		t.Errorf("Cargo.toml has %q, Chart.yaml %s for %s", version, chart, app)
	}
}

func TestDashboardIsJSON(t *testing.T) {
	for key, made := range rendered(t, []string{`dashboard.enabled=true`}) {
		if key != "ConfigMap privatelink-system/privatelink-operator-dashboard" {
			continue
		}
		var dashboard struct{ Title string }
		text, _ := at(made, "data", "privatelink-operator.json").(string)
		if err := json.Unmarshal([]byte(text), &dashboard); err != nil || dashboard.Title == "" {
			t.Errorf("%v: %.80s", err, text)
		}
		return
	}
	t.Error("there is no dashboard")
}
