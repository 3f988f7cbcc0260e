import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.linux.TakenFunctions;
import dev.doorbell.linux.kvm.VcpuExit;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vmm.GuestSession;
import dev.doorbell.vmm.VirtualMachine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A Linux guest with a function of this machine: the guest's own driver for it takes its MSI-X interrupts.
final class LinuxGuest {
  private static final Path SHARE = Path.of("/lab");
  private static final long MEMORY = 256 << 20;
  private static final long WAIT_MILLIS = 400_000;
  private static final String ANSWER = "doorbell\n";
  private static final Pattern TAKEN = Pattern.compile("guest: took (\\d+) of .*");

  private final StringBuffer printed = new StringBuffer();
  private GuestSession session;

  private LinuxGuest() {}

  /// @param driver the guest's driver for it
  /// @param fewest interrupts that the guest's driver must have taken in all
  static void with(Access access, Sbdf f, String driver, int fewest) throws IOException {
    String what = "%s %s %s in a Linux guest".formatted(access, driver, f);
    String host = Lab.driver(f);
    Lab.guarded(what, () -> new LinuxGuest().run(what, access, f, driver, fewest));
    Lab.check(Lab.driver(f).equals(host), "%s: the host's driver before %s, after %s".formatted(what, host, Lab.driver(f)));
  }

  private void run(String what, Access access, Sbdf f, String driver, int fewest) throws Exception {
    VirtualMachine.Guest guest =
        new VirtualMachine.Guest(
            "Image",
            MemorySegment.ofArray(Files.readAllBytes(SHARE.resolve("Image"))),
            MemorySegment.ofArray(Files.readAllBytes(SHARE.resolve("guest.cpio"))),
            "console=ttyAMA0 quiet panic=-1 asks",
            MEMORY);
    GuestSession.Wanted wanted = new GuestSession.Wanted(f, new TakenFunctions.Terms(false, true, Optional.of(access)), guest);
    long began = System.nanoTime();
    try (GuestSession s = GuestSession.open(LinuxOptions.USUAL, wanted, this::print)) {
      session = s;
      VcpuExit end = s.run(WAIT_MILLIS);
      Lab.check(end.equals(new VcpuExit.SystemEvent(VcpuExit.SystemEvent.Kind.SHUTDOWN)), "%s: it ended with %s".formatted(what, end));
      Lab.check(s.machine().unclaimed() == 0, "%s: accesses that nothing answered: %d".formatted(what, s.machine().unclaimed()));
    }
    String text = printed.toString();
    text.lines().forEach(l -> Lab.say("  | " + l));
    Lab.check(text.contains("guest: driver " + driver), what + ": its driver is bound");
    Matcher m = TAKEN.matcher(text);
    int taken = 0;
    while (m.find()) {
      taken += Integer.parseInt(m.group(1));
    }
    Lab.check(taken >= fewest, "%s: its driver took %d interrupts, at least %d are due, %d s".formatted(what, taken, fewest, (System.nanoTime() - began) / 1_000_000_000));
    Lab.check(text.contains("guest: heard " + ANSWER.strip()), what + ": it heard what was typed");
    Lab.check(!text.contains("failed"), what + ": nothing failed inside");
  }

  /// Types once the guest asks.
  private void print(int character) {
    printed.append((char) character);
    if (character == '\n' && printed.toString().endsWith("guest: asks\r\n")) {
      ANSWER.chars().forEach(session.machine()::type);
    }
  }
}
