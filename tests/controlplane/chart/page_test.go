package chart_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// The commands of this page are run by tests/it/chart.rs.
const page = root + "/docs/how-to/install.md"

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestThePageNamesValuesThatThereAre(t *testing.T) {
	var values any
	if err := yaml.Unmarshal([]byte(read(t, chart+"/values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	text := read(t, page)
	named := regexp.MustCompile("(?m)^\\| (`[^|]*`) \\|").FindAllStringSubmatch(text, -1)
	named = append(named, regexp.MustCompile("(`(?:admissionPolicy|crds)\\.[^`=]*)").FindAllStringSubmatch(text, -1)...)
	named = append(named, regexp.MustCompile(`--set (\S+)=`).FindAllStringSubmatch(text, -1)...)
	seen := 0
	for _, row := range named {
		for _, name := range strings.Split(row[1], ",") {
			seen++
			name = strings.Trim(name, " `")
			if at(values, strings.Split(name, ".")...) == nil {
				t.Errorf("there is no value %s", name)
			}
		}
	}
	if seen < 12 {
		t.Errorf("only %d values were looked for", seen)
	}
}

// What Helm prints at the end says what follows from the values, and no more.
func TestNotesSayWhatFollowsFromTheValues(t *testing.T) {
	sentences := []string{
		"spec.publish is not acted on",
		"The CRDs are not part of this",
		"The CRDs and all objects stay",
		"uninstalling deletes ALL",
		"There is one replica",
		"Secrets are read in: team-a, b.",
		"workloadIdentity: {} is set up",
	}
	for values, said := range map[string][]string{
		"": {"spec.publish is not acted on", "The CRDs and all objects stay"},
		"publish.enabled=true,crds.install=false": {"The CRDs are not part of this"},
		"publish.enabled=true,crds.keep=false,replicas=1,credentialNamespaces={team-a,b}": {
			"uninstalling deletes ALL", "There is one replica", "Secrets are read in: team-a, b.",
		},
		"alibaba.rrsa.roleArn=acs:ram::1:role/r,alibaba.rrsa.oidcProviderArn=acs:ram::1:oidc-provider/p": {
			"spec.publish is not acted on", "The CRDs and all objects stay", "workloadIdentity: {} is set up",
		},
	} {
		t.Run(values, func(t *testing.T) {
			stdout, stderr, ok := run(t, "helm", "install", "privatelink-operator", chart, "--namespace", "links", "--dry-run=client", "--set", values)
			if !ok {
				t.Fatal(stderr)
			}
			_, notes, _ := strings.Cut(stdout, "\nNOTES:\n")
			if !strings.Contains(notes, "kubectl -n links rollout status deployment/privatelink-operator") {
				t.Errorf("it does not say what to do next: %s", notes)
			}
			for _, sentence := range sentences {
				if wanted := slices.Contains(said, sentence); wanted != strings.Contains(notes, sentence) {
					t.Errorf("%q: want %t in %s", sentence, wanted, notes)
				}
			}
		})
	}
}
