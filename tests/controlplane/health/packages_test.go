// Package health_test reads the health of our objects with the packages that Flux and Argo CD read it with.
package health_test

import (
	_ "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	_ "github.com/yuin/gopher-lua"
)
