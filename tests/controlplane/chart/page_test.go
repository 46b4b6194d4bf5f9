package chart_test

import (
	"os"
	"path/filepath"
	"regexp"
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

func TestTheKustomizationOfThePageIsBuilt(t *testing.T) {
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(read(t, page))
	if block == nil {
		t.Fatal("the page has no kustomization")
	}
	// Where the page has it: beside deploy/.
	folder, err := os.MkdirTemp(root, "my-kustomization-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(block[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, ok := run(t, "kubectl", "kustomize", folder)
	if !ok {
		t.Fatal(stderr)
	}
	_, container, env := pod(t, documents(t, stdout), "privatelink-operator")
	_, version := versions(t)
	if image := at(container, "image"); image != "registry.example.com/privatelink-operator:"+version || env["PRIVATELINK_PUBLISH"] != "true" {
		t.Errorf("the image is %v, the environment %v", image, env)
	}
}
