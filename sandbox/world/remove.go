package world

import (
	"context"
	"os"

	"warifu"
	"warifu/sandbox/folder"
)

// Remove throws the world in the folder away. A folder that holds no world, or one
// whose ports are taken (it is running), is left alone: "world-none", "world-running".
func Remove(dir string) error {
	if _, err := os.Stat(dir); err != nil {
		return warifu.NotFound("world-none", "dir", dir).With(err)
	}
	f, err := folder.Open(dir)
	if err != nil {
		return err
	}
	var k kept
	there, err := f.ReadJSON(keptName, &k)
	if err != nil {
		return err
	}
	if !there {
		return warifu.NotFound("world-none", "dir", dir)
	}
	doors, err := listen(context.Background(), k.Ports)
	if err != nil {
		return warifu.Conflict("world-running", "address", k.Ports[0]).With(err)
	}
	for _, d := range doors {
		_ = d.close()
	}
	return os.RemoveAll(dir)
}
