package pki

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"slices"
	"testing"
	"time"
)

func newCA(t *testing.T) (*CA, *x509.CertPool) {
	t.Helper()
	ca, err := NewCA("test-ca")
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca.CertPEM) {
		t.Fatal("the CA's certificate is no PEM certificate")
	}
	return ca, pool
}

func leaf(t *testing.T, pair Pair) *x509.Certificate {
	t.Helper()
	// X509KeyPair also checks that the key is the certificate's.
	both, err := tls.X509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(both.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestServerCertificateIsTrustedForItsNamesOnly(t *testing.T) {
	ca, pool := newCA(t)
	pair, err := ca.Server("kube-apiserver", []net.IP{net.IPv4(127, 0, 0, 1)}, []string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	cert := leaf(t, pair)
	for _, name := range []string{"127.0.0.1", "localhost"} {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, DNSName: "127.0.0.2"}); err == nil {
		t.Error("trusted for an address that it was not made for")
	}
	if cert.IsCA {
		t.Error("a server's certificate can sign others")
	}
	clientUse := x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if _, err := cert.Verify(clientUse); err == nil {
		t.Error("a server's certificate logs in as a client")
	}
}

func TestClientCertificateNamesUserAndGroups(t *testing.T) {
	ca, pool := newCA(t)
	pair, err := ca.Client("admin", "system:masters", "testers")
	if err != nil {
		t.Fatal(err)
	}
	cert := leaf(t, pair)
	clientUse := x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if _, err := cert.Verify(clientUse); err != nil {
		t.Error(err)
	}
	if cert.Subject.CommonName != "admin" {
		t.Errorf("user is %q", cert.Subject.CommonName)
	}
	groups := slices.Sorted(slices.Values(cert.Subject.Organization))
	if !slices.Equal(groups, []string{"system:masters", "testers"}) {
		t.Errorf("groups are %q", groups)
	}
}

func TestAnotherCAIsNotTrusted(t *testing.T) {
	ca, _ := newCA(t)
	_, otherPool := newCA(t)
	pair, err := ca.Client("admin")
	if err != nil {
		t.Fatal(err)
	}
	options := x509.VerifyOptions{Roots: otherPool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	if _, err := leaf(t, pair).Verify(options); err == nil {
		t.Error("trusted by a CA that did not sign it")
	}
}

func TestCertificatesEnd(t *testing.T) {
	ca, pool := newCA(t)
	pair, err := ca.Client("admin")
	if err != nil {
		t.Fatal(err)
	}
	later := x509.VerifyOptions{
		Roots:       pool,
		CurrentTime: time.Now().Add(validFor + time.Minute),
		KeyUsages:   []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	if _, err := leaf(t, pair).Verify(later); err == nil {
		t.Error("a certificate of a test run is valid for ever")
	}
}

func TestSigningKeyHalvesBelongTogether(t *testing.T) {
	private, public, err := SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	privateBlock, _ := pem.Decode(private)
	key, err := x509.ParsePKCS8PrivateKey(privateBlock.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	publicBlock, _ := pem.Decode(public)
	half, err := x509.ParsePKIXPublicKey(publicBlock.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if !key.(*ecdsa.PrivateKey).PublicKey.Equal(half) {
		t.Error("the public key is not the private key's")
	}
}
