import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A service that people log in to, in Java 17 and nothing else.
 *
 * <pre>
 * set -a; . ./warifu-rp/.env; set +a
 * java Login.java
 * </pre>
 *
 * Open the address it prints. After the first login it prints the claims and stops.
 */
public class Login {
  static final String ISSUER = env("WARIFU_ISSUER"), CLIENT_ID = env("WARIFU_CLIENT_ID"), REDIRECT_URI = env("WARIFU_REDIRECT_URI");
  static final HttpClient HTTP = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
  static final long SKEW = 60; // seconds that the provider's clock may differ
  static final Map<String, Kept> UNDER_WAY = new ConcurrentHashMap<>(); // by cookie; a real service has them expire

  /** What is remembered of a login until the browser comes back. */
  record Kept(String state, String nonce, String verifier) {}

  /** Says why nobody is logged in. */
  static class Refused extends Exception {
    Refused(String why) {
      super(why);
    }
  }

  public static void main(String[] args) throws Exception {
    URI callback = URI.create(REDIRECT_URI);
    HttpServer server = HttpServer.create(new InetSocketAddress(callback.getHost(), callback.getPort()), 0);
    server.createContext("/", exchange -> serve(server, callback, exchange));
    server.start();
    System.err.println("Open http://" + callback.getAuthority() + "/");
  }

  static void serve(HttpServer server, URI callback, HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    try {
      if (path.equals("/")) {
        String name = random();
        exchange.getResponseHeaders().set("Location", begin(name));
        exchange.getResponseHeaders().set("Set-Cookie", "login=" + name + "; Path=/; HttpOnly; SameSite=Lax");
        answer(exchange, 303, "");
      } else if (path.equals(callback.getPath())) {
        Kept kept = UNDER_WAY.remove(cookie(exchange));
        Map<String, Object> claims = finish(query(exchange.getRequestURI().getRawQuery()), kept);
        System.out.println(write(claims));
        answer(exchange, 200, "Logged in: " + claims.get("sub"));
        stop(server, 0);
      } else {
        answer(exchange, 404, "no such page");
      }
    } catch (Exception e) { // whatever went wrong, nobody is logged in
      System.err.println("Login.java: " + e.getMessage());
      answer(exchange, 400, "No login");
      stop(server, 1);
    }
  }

  static void stop(HttpServer server, int code) {
    new Thread(() -> { server.stop(1); System.exit(code); }).start();
  }

  /** Tells the provider what is asked for (RFC 9126) and returns where to send the browser. */
  static String begin(String name) throws Exception {
    Map<String, Object> provider = provider();
    Kept kept = new Kept(random(), random(), random());
    Map<String, String> form = new LinkedHashMap<>();
    form.put("response_type", "code");
    form.put("redirect_uri", REDIRECT_URI);
    form.put("scope", env("WARIFU_SCOPES"));
    form.put("state", kept.state);
    form.put("nonce", kept.nonce);
    form.put("code_challenge", base64(sha256(kept.verifier)));
    form.put("code_challenge_method", "S256");
    Map<String, Object> pushed = post(text(provider, "pushed_authorization_request_endpoint"), form, text(provider, "token_endpoint"));
    UNDER_WAY.put(name, kept);
    return text(provider, "authorization_endpoint") + "?client_id=" + escape(CLIENT_ID) + "&request_uri=" + escape(text(pushed, "request_uri"));
  }

  /** Redeems the code and returns claims and attributes of who logged in. */
  static Map<String, Object> finish(Map<String, String> back, Kept kept) throws Exception {
    if (kept == null || !kept.state.equals(back.get("state"))) throw new Refused("this is not a login that was begun here");
    if (!ISSUER.equals(back.get("iss"))) throw new Refused("another provider answers (RFC 9207)");
    if (back.containsKey("error")) throw new Refused(back.get("error"));
    Map<String, Object> provider = provider();
    Map<String, String> form = new LinkedHashMap<>();
    form.put("grant_type", "authorization_code");
    form.put("code", back.getOrDefault("code", ""));
    form.put("redirect_uri", REDIRECT_URI);
    form.put("code_verifier", kept.verifier);
    Map<String, Object> tokens = post(text(provider, "token_endpoint"), form, text(provider, "token_endpoint"));
    Map<String, Object> claims = check(provider, text(tokens, "id_token"), text(tokens, "access_token"), kept);
    Map<String, Object> told = send(HttpRequest.newBuilder(URI.create(text(provider, "userinfo_endpoint"))).header("Authorization", "Bearer " + text(tokens, "access_token")));
    if (!claims.get("sub").equals(told.get("sub"))) throw new Refused("somebody else's attributes");
    claims.putAll(told);
    return claims;
  }

  /** The claims of an ID token that is for us and of this login (OpenID Connect Core 3.1.3.7). */
  static Map<String, Object> check(Map<String, Object> provider, String token, String access, Kept kept) throws Exception {
    String[] parts = token.split("\\.", -1);
    if (parts.length != 3) throw new Refused("form");
    Map<String, Object> head = object(new String(unbase64(parts[0]), StandardCharsets.UTF_8));
    if (!"ES256".equals(head.get("alg"))) throw new Refused("alg"); // pinned: neither "none" nor an HMAC gets further
    Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
    signature.initVerify(KeyFactory.getInstance("EC").generatePublic(providerKey(provider, head.get("kid"))));
    signature.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
    if (!signature.verify(unbase64(parts[2]))) throw new Refused("signature");
    Map<String, Object> claims = object(new String(unbase64(parts[1]), StandardCharsets.UTF_8));
    long now = Instant.now().getEpochSecond();
    if (!ISSUER.equals(claims.get("iss"))) throw new Refused("iss");
    if (!CLIENT_ID.equals(claims.get("aud")) && !List.of(CLIENT_ID).equals(claims.get("aud"))) throw new Refused("aud");
    if (!CLIENT_ID.equals(claims.getOrDefault("azp", CLIENT_ID))) throw new Refused("azp");
    if (!(claims.get("exp") instanceof Number exp) || exp.longValue() <= now - SKEW) throw new Refused("exp");
    if (!(claims.get("iat") instanceof Number iat) || iat.longValue() > now + SKEW) throw new Refused("iat");
    if (!kept.nonce.equals(claims.get("nonce"))) throw new Refused("nonce");
    String half = base64(Arrays.copyOf(sha256(access), 16));
    if (!half.equals(claims.getOrDefault("at_hash", half))) throw new Refused("at_hash");
    if (!(claims.get("sub") instanceof String sub) || sub.isEmpty()) throw new Refused("sub");
    return claims;
  }

  static ECPublicKeySpec providerKey(Map<String, Object> provider, Object kid) throws Exception {
    AlgorithmParameters p256 = AlgorithmParameters.getInstance("EC");
    p256.init(new ECGenParameterSpec("secp256r1"));
    for (Object entry : (List<?>) send(HttpRequest.newBuilder(URI.create(text(provider, "jwks_uri")))).get("keys")) {
      if (entry instanceof Map<?, ?> key && kid != null && kid.equals(key.get("kid")) && "P-256".equals(key.get("crv"))) {
        ECPoint point = new ECPoint(new BigInteger(1, unbase64((String) key.get("x"))), new BigInteger(1, unbase64((String) key.get("y"))));
        return new ECPublicKeySpec(point, p256.getParameterSpec(ECParameterSpec.class));
      }
    }
    throw new Refused("kid");
  }

  static Map<String, Object> provider() throws Exception {
    Map<String, Object> found = send(HttpRequest.newBuilder(URI.create(ISSUER + "/.well-known/openid-configuration")));
    if (!ISSUER.equals(found.get("issuer"))) throw new Refused("another issuer answers there");
    return found;
  }

  /** Posts a form as this client (private_key_jwt): with a JWT of one minute, signed with our key, good once. */
  static Map<String, Object> post(String address, Map<String, String> form, String audience) throws Exception {
    long now = Instant.now().getEpochSecond();
    String head = write(Map.of("alg", "ES256", "typ", "JWT", "kid", env("WARIFU_KEY_ID")));
    String claims = write(Map.of("iss", CLIENT_ID, "sub", CLIENT_ID, "aud", audience, "jti", random(), "iat", now, "exp", now + 60));
    String signed = base64(head.getBytes(StandardCharsets.UTF_8)) + "." + base64(claims.getBytes(StandardCharsets.UTF_8));
    Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
    signature.initSign(key());
    signature.update(signed.getBytes(StandardCharsets.US_ASCII));
    form.put("client_id", CLIENT_ID);
    form.put("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    form.put("client_assertion", signed + "." + base64(signature.sign()));
    StringBuilder body = new StringBuilder();
    form.forEach((name, value) -> body.append(body.length() > 0 ? "&" : "").append(escape(name)).append('=').append(escape(value)));
    return send(HttpRequest.newBuilder(URI.create(address)).header("Content-Type", "application/x-www-form-urlencoded").POST(HttpRequest.BodyPublishers.ofString(body.toString())));
  }

  static PrivateKey key() throws Exception {
    String pem = Files.readString(Path.of(env("WARIFU_KEY_FILE"))).replaceAll("-----[^-]+-----|\\s", "");
    return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
  }

  static Map<String, Object> send(HttpRequest.Builder request) throws Exception {
    HttpResponse<String> answer = HTTP.send(request.timeout(Duration.ofSeconds(10)).build(), HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() >= 300) throw new Refused(answer.statusCode() + " " + answer.body());
    return object(answer.body());
  }

  static String cookie(HttpExchange exchange) {
    for (String pair : exchange.getRequestHeaders().getOrDefault("Cookie", List.of("")).get(0).split("; ")) {
      if (pair.startsWith("login=")) return pair.substring("login=".length());
    }
    return "";
  }

  static Map<String, String> query(String raw) {
    Map<String, String> out = new LinkedHashMap<>();
    for (String pair : (raw == null ? "" : raw).split("&")) {
      String[] parts = pair.split("=", 2);
      if (parts.length == 2) out.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
    }
    return out;
  }

  static void answer(HttpExchange exchange, int status, String text) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  static String env(String name) {
    String value = System.getenv(name);
    if (value == null) throw new IllegalStateException(name + " is not set");
    return value;
  }

  static String random() {
    byte[] octets = new byte[32];
    new SecureRandom().nextBytes(octets);
    return base64(octets);
  }

  static String escape(String s) {
    return URLEncoder.encode(s, StandardCharsets.UTF_8);
  }

  static String base64(byte[] octets) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(octets);
  }

  static byte[] unbase64(String s) {
    return Base64.getUrlDecoder().decode(s);
  }

  static byte[] sha256(String s) throws Exception {
    return MessageDigest.getInstance("SHA-256").digest(s.getBytes(StandardCharsets.US_ASCII));
  }

  static String text(Map<String, Object> from, String name) throws Refused {
    if (from.get(name) instanceof String s) return s;
    throw new Refused(name + " is missing");
  }

  // JSON, as far as a login needs it; a service has a library.

  @SuppressWarnings("unchecked")
  static Map<String, Object> object(String json) throws Refused {
    int[] at = {0};
    if (value(json, at) instanceof Map<?, ?> m) return (Map<String, Object>) m;
    throw new Refused("no JSON object");
  }

  static Object value(String s, int[] at) throws Refused {
    char c = next(s, at);
    if (c == '{' || c == '[') {
      Map<String, Object> map = new LinkedHashMap<>();
      List<Object> list = new ArrayList<>();
      at[0]++;
      for (char end = c == '{' ? '}' : ']'; next(s, at) != end; ) {
        if (next(s, at) == ',') at[0]++;
        if (c == '[') { list.add(value(s, at)); continue; }
        if (!(value(s, at) instanceof String name) || next(s, at) != ':') throw new Refused("JSON");
        at[0]++;
        map.put(name, value(s, at));
      }
      at[0]++;
      return c == '{' ? map : list;
    }
    if (c == '"') return string(s, at);
    int from = at[0];
    while (at[0] < s.length() && ",]} \r\n\t".indexOf(s.charAt(at[0])) < 0) at[0]++;
    String word = s.substring(from, at[0]);
    return switch (word) {
      case "true" -> true;
      case "false" -> false;
      case "null" -> "";
      default -> { try { yield Long.parseLong(word); } catch (NumberFormatException e) { throw new Refused("JSON: " + word); } }
    };
  }

  static String string(String s, int[] at) throws Refused {
    StringBuilder out = new StringBuilder();
    while (++at[0] < s.length()) {
      char c = s.charAt(at[0]);
      if (c == '"') { at[0]++; return out.toString(); }
      if (c != '\\') { out.append(c); continue; }
      if (++at[0] >= s.length()) break;
      switch (s.charAt(at[0])) {
        case 'n' -> out.append('\n');
        case 't' -> out.append('\t');
        case 'r' -> out.append('\r');
        case 'b' -> out.append('\b');
        case 'f' -> out.append('\f');
        case 'u' -> { out.append((char) Integer.parseInt(s.substring(at[0] + 1, at[0] + 5), 16)); at[0] += 4; }
        default -> out.append(s.charAt(at[0]));
      }
    }
    throw new Refused("JSON: a string without an end");
  }

  static char next(String s, int[] at) throws Refused {
    while (at[0] < s.length() && " \r\n\t".indexOf(s.charAt(at[0])) >= 0) at[0]++;
    if (at[0] >= s.length()) throw new Refused("JSON: an end too soon");
    return s.charAt(at[0]);
  }

  static String write(Object v) {
    if (v instanceof Map<?, ?> m) {
      List<String> parts = new ArrayList<>();
      m.forEach((name, value) -> parts.add(write(name.toString()) + ":" + write(value)));
      return "{" + String.join(",", parts) + "}";
    }
    if (v instanceof List<?> list) return "[" + String.join(",", list.stream().map(Login::write).toList()) + "]";
    if (v instanceof Number || v instanceof Boolean) return v.toString();
    StringBuilder out = new StringBuilder("\"");
    for (char c : v.toString().toCharArray()) out.append(c == '"' || c == '\\' ? "\\" + c : c < ' ' ? String.format("\\u%04x", (int) c) : String.valueOf(c));
    return out.append('"').toString();
  }
}
