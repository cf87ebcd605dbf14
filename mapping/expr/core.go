package expr

import "sync"

// coreFunctions are the functions of the provisioning service. Made at first use, only read after.
var coreFunctions = sync.OnceValue(func() map[string]*builtin {
	return table(flowFunctions(), textFunctions(), listFunctions(), dateFunctions(), numberFunctions(), randomFunctions(), roleFunctions(), replaceFunctions())
})
