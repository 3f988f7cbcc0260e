import dev.doorbell.linux.LinuxOptions.Access;
import java.nio.file.Files;
import java.nio.file.Path;

/// What the lab does with guests of its own: `Guests payload` and `Guests linux`.
public final class Guests {
  private Guests() {}

  public static void main(String[] names) throws Exception {
    Lab.say("kernel " + Files.readString(Path.of("/proc/version")).strip());
    for (String name : names) {
      switch (name) {
        case "payload" -> {
          Lab.guarded("eventfd", BareGuest::fromEventFd);
          for (Access access : Lab.accesses()) {
            BareGuest.fromEdu(access, Lab.find(Kind.EDU).getFirst());
          }
        }
        case "linux" -> {
          LinuxGuest.with(Access.IOMMUFD, Lab.find(Kind.NVME).getFirst(), "nvme", 50);
          LinuxGuest.with(Access.CONTAINER, Lab.find(Kind.E1000E).getFirst(), "e1000e", 2);
        }
        default -> throw new IllegalArgumentException("no guest " + name);
      }
    }
    Lab.end();
  }
}
