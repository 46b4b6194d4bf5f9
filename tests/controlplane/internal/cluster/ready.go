package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"privatelink.dev/operator/tests/controlplane/internal/child"
	"privatelink.dev/operator/tests/controlplane/internal/pki"
)

const (
	// lookEvery is the pause between two looks at a condition that cannot be watched yet.
	lookEvery = 20 * time.Millisecond
	// answerWithin bounds one request: a server that starts may accept and not answer.
	answerWithin = 5 * time.Second
	// answerBytes bounds what is read of an answer.
	answerBytes = 1 << 20
)

// client asks the API server as its administrator.
type client struct {
	server string
	http   *http.Client
}

func newClient(server string, ca *pki.CA, admin pki.Pair) (*client, error) {
	pair, err := tls.X509KeyPair(admin.Cert, admin.Key)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca.CertPEM)
	transport := &http.Transport{
		// No proxy of the environment: the server is on this machine.
		Proxy:           nil,
		TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}},
	}
	return &client{server: server, http: &http.Client{Transport: transport, Timeout: answerWithin}}, nil
}

// get reads a path, into answer if one is given. Any status but 200 is an error.
func (c *client) get(ctx context.Context, path string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server+path, nil)
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, answerBytes))
	if err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s: %s", path, response.Status, body)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}

// defaultAccount is true once the controller manager works: it made the account.
func (c *client) defaultAccount(ctx context.Context) error {
	return c.get(ctx, "/api/v1/namespaces/default/serviceaccounts/default", nil)
}

// editRole is true once the controller manager has put together the role of those who edit.
func (c *client) editRole(ctx context.Context) error {
	var role struct {
		Rules []any `json:"rules"`
	}
	if err := c.get(ctx, "/apis/rbac.authorization.k8s.io/v1/clusterroles/edit", &role); err != nil {
		return err
	}
	if len(role.Rules) == 0 {
		return fmt.Errorf("ClusterRole edit has no rules yet")
	}
	return nil
}

// await looks until the condition holds, a program dies, or the context ends.
func await(ctx context.Context, what string, children []*child.Child, condition func(context.Context) error) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		last := condition(ctx)
		if last == nil {
			return nil
		}
		for _, one := range children {
			select {
			case <-one.Done():
				return fmt.Errorf("waiting for %s: %w", what, one.Died())
			default:
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; last answer: %v", what, context.Cause(ctx), last)
		case <-ticker.C:
		}
	}
}
