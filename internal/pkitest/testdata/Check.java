import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.*;
import java.util.*;

/**
 * Asks the Java platform's own PKIX checker about certificates, and prints for each a line
 * "FILE VERDICT": good, revoked REASON, unknown, or what it says else.
 *
 * Check ocsp|crl AUTHORITY.cer [list.crl ...] -- CERTIFICATE.cer ...
 *
 * With "crl" and no lists it fetches them from where the certificates say; with lists it uses
 * those alone.
 */
public class Check {
	static X509Certificate read(CertificateFactory f, String name) throws Exception {
		return (X509Certificate) f.generateCertificate(new ByteArrayInputStream(Files.readAllBytes(Path.of(name))));
	}

	/** A fresh nonce of 32 octets (RFC 9654). */
	static Extension nonce() {
		byte[] value = new byte[34];
		new SecureRandom().nextBytes(value);
		value[0] = 4;
		value[1] = 32;
		return new Extension() {
			public String getId() { return "1.3.6.1.5.5.7.48.1.2"; }
			public boolean isCritical() { return false; }
			public byte[] getValue() { return value; }
			public void encode(OutputStream out) throws IOException { 
				out.write(HexFormat.of().parseHex("302f06092b0601050507300102" + "0422")); // SEQUENCE { OID, OCTET STRING }
				out.write(value);
			 }
		};
	}

	static String check(CertificateFactory f, X509Certificate authority, X509Certificate c, boolean ocsp, List<CRL> lists) throws Exception {
		CertPathValidator validator = CertPathValidator.getInstance("PKIX");
		PKIXRevocationChecker revocation = (PKIXRevocationChecker) validator.getRevocationChecker();
		EnumSet<PKIXRevocationChecker.Option> options = EnumSet.of(PKIXRevocationChecker.Option.NO_FALLBACK);
		if (ocsp) {
			revocation.setOcspExtensions(List.of(nonce()));
		} else {
			options.add(PKIXRevocationChecker.Option.PREFER_CRLS);
		}
		revocation.setOptions(options);
		PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(authority, null)));
		parameters.addCertPathChecker(revocation);
		if (!lists.isEmpty()) {
			parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(lists)));
		}
		try {
			validator.validate(f.generateCertPath(List.of(c)), parameters);
			return "good";
		} catch (CertPathValidatorException e) {
			if (e.getCause() instanceof CertificateRevokedException r) {
				return "revoked " + r.getRevocationReason();
			}
			if (e.getReason() == CertPathValidatorException.BasicReason.UNDETERMINED_REVOCATION_STATUS) {
				return "unknown";
			}
			return "refused " + e.getReason() + " " + e.getMessage();
		}
	}

	public static void main(String[] args) throws Exception {
		CertificateFactory f = CertificateFactory.getInstance("X.509");
		X509Certificate authority = read(f, args[1]);
		List<CRL> lists = new ArrayList<>();
		int i = 2;
		for (; !args[i].equals("--"); i++) {
			lists.add(f.generateCRL(new ByteArrayInputStream(Files.readAllBytes(Path.of(args[i])))));
		}
		for (i++; i < args.length; i++) {
			System.out.println(Path.of(args[i]).getFileName() + " " + check(f, authority, read(f, args[i]), args[0].equals("ocsp"), lists));
		}
	}
}
