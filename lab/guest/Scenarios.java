import dev.doorbell.linux.LinuxOptions.Access;

/// What the lab does with assigned functions: `Scenarios NAME...`, each through every interface that the kernel has.
public final class Scenarios {
  private Scenarios() {}

  public static void main(String[] names) throws Exception {
    Lab.begin();
    for (Access access : Lab.accesses()) {
      for (String name : names) {
        switch (name) {
          case "assign" -> Assign.all(access);
          case "reset" -> HotReset.all(access);
          case "kill" -> Kill.all(access);
          case "faults" -> Faults.all(access);
          case "unplug" -> Unplug.all(access);
          case "gone" -> Gone.all(access);
          case "full" -> Full.all(access);
          case "example" -> Example.all(access);
          case "extras" -> Extras.all(access);
          case "virtual" -> Virtual.all(access);
          case "unsafe" -> Unsafe.all(access);
          default -> throw new IllegalArgumentException("no scenario " + name);
        }
      }
    }
    Lab.check(!Lab.accesses().isEmpty(), "this kernel has " + Lab.accesses());
    Lab.end();
  }
}
