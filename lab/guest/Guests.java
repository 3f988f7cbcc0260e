import dev.doorbell.linux.LinuxOptions.Access;

/// What the lab does with guests of its own: `Guests payload`, `Guests shared` on a host with a GICv2, and `Guests linux`.
public final class Guests {
  private Guests() {}

  public static void main(String[] names) throws Exception {
    Lab.begin();
    for (String name : names) {
      switch (name) {
        case "payload" -> {
          Lab.guarded("eventfd", () -> BareGuest.fromEventFd(1));
          Lab.guarded("eventfd, two processors", () -> BareGuest.fromEventFd(2));
          for (Access access : Lab.accesses()) {
            BareGuest.fromEdu(access, Lab.find(Kind.EDU).getFirst());
          }
        }
        case "shared" -> {
          for (int processors = 1; processors <= 2; processors++) {
            int p = processors;
            Lab.guarded("eventfd", () -> BareGuest.withSharedInterrupt(p, false));
            Lab.guarded("line", () -> BareGuest.withSharedInterrupt(p, true));
          }
        }
        case "linux" -> {
          LinuxGuest.with(Lab.accesses().getLast(), Lab.find(Kind.NVME).getFirst(), "nvme", 50);
          LinuxGuest.with(Access.CONTAINER, Lab.find(Kind.E1000E).getFirst(), "e1000e", 2);
        }
        default -> throw new IllegalArgumentException("no guest " + name);
      }
    }
    Lab.end();
  }
}
