// Package stepca keeps step-ca's modules apart from those of the other peers: its database and
// ory/fosite want versions of one module that do not go together. The bench builds the command
// from here (go.mod's tool) and runs it as an operator would.
package stepca
