// Package judgetest has other people's relying parties log in at the provider: openid-client
// (npm) with its strictest options and Debian's mod_auth_openidc. Each logs somebody in and
// refuses somebody, and the doctor finds no fault in either. They are programs of their own,
// as their authors ship them, and speak HTTP on loopback.
package judgetest
