package dev.doorbell.linux;

import dev.doorbell.bus.Rollback;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// VFs that a physical function's driver makes, until this is closed.
///
/// No driver is bound to them by itself meanwhile (`sriov_drivers_autoprobe` is off), so that they can be given to vfio-pci at once; what that switch
/// was is put back.
///
/// **Source**: Linux `Documentation/ABI/testing/sysfs-bus-pci` (`sriov_numvfs`, `sriov_totalvfs`, `sriov_drivers_autoprobe`, `virtfn`)
public final class VirtualFunctions implements AutoCloseable {
  /// A function cannot make VFs, or not so many.
  public static final class Refusing extends LinuxException {
    private static final long serialVersionUID = 1L;

    Refusing(Refusal refusal) {
      super(refusal);
    }
  }

  private final Kernel kernel;
  private final HostFiles files;
  private final Sbdf physical;
  private final List<Sbdf> functions = new ArrayList<>();
  private boolean closed;

  private VirtualFunctions(LinuxOptions options, Sbdf physical) {
    this.kernel = new Kernel(options.calls());
    this.files = new HostFiles(options.root());
    this.physical = physical;
  }

  /// {@return new VFs of a function}
  ///
  /// @param count 1 or more
  /// @throws Refusing when it has no SR-IOV, has VFs already, or can make fewer
  /// @throws ErrnoException when the kernel refuses; there are no VFs then
  public static VirtualFunctions create(LinuxOptions options, Sbdf physical, int count) {
    VirtualFunctions v = new VirtualFunctions(options, physical);
    v.requirePossible(count);
    String before = v.text("sriov_drivers_autoprobe").orElse("1");
    try (Rollback rollback = new Rollback()) {
      v.write("sriov_drivers_autoprobe", "0");
      rollback.add(() -> v.write("sriov_drivers_autoprobe", before));
      v.write("sriov_numvfs", Integer.toString(count));
      rollback.add(v::close);
      v.find(count);
      v.write("sriov_drivers_autoprobe", before);
      rollback.commit();
    }
    return v;
  }

  private void requirePossible(int count) {
    int total = text("sriov_totalvfs").filter(HostFiles::isNumber).map(Integer::parseInt).orElse(0);
    if (count < 1) {
      throw new IllegalArgumentException("%d VFs of %s are none".formatted(count, physical));
    }
    if (total < count) {
      throw refusing(
          total == 0
              ? "%s makes no VFs: it has no SR-IOV capability that this kernel uses"
                  .formatted(physical)
              : "%s makes at most %d VFs and %d are asked for".formatted(physical, total, count),
          count,
          total,
          "sriov_totalvfs",
          total == 0
              ? "turn SR-IOV on in firmware, or choose another function"
              : "ask for at most %d".formatted(total));
    }
    int has = text("sriov_numvfs").filter(HostFiles::isNumber).map(Integer::parseInt).orElse(0);
    if (has != 0) {
      throw refusing(
          "%s has %d VFs already, and their number cannot change while it has any"
              .formatted(physical, has),
          count,
          total - has,
          "sriov_numvfs",
          "use those, or write 0 to /%s/sriov_numvfs first".formatted(HostFiles.device(physical)));
    }
  }

  private Refusing refusing(
      String message, long needed, long available, String file, String advice) {
    return new Refusing(
        new Refusal(
            "VirtualFunctionsRefused",
            message,
            Optional.of(new Refusal.Figure(needed, "VFs")),
            Optional.of(new Refusal.Figure(available, "VFs")),
            List.of(physical.toString()),
            Source.file(HostFiles.device(physical) + "/" + file),
            advice));
  }

  private void find(int count) {
    for (int i = 0; i < count; i++) {
      String link = HostFiles.device(physical) + "/virtfn" + i;
      functions.add(
          files
              .link(link)
              .map(Sbdf::parse)
              .orElseThrow(() ->
                  new ErrnoException(
                      "sriov_numvfs",
                      link,
                      Errno.ENODEV,
                      new Because(
                          "the kernel said yes and made fewer VFs",
                          "look at the end of `dmesg`: bus numbers or BARs may be short"))));
    }
  }

  /// {@return the VFs, by number}
  public List<Sbdf> functions() {
    return List.copyOf(functions);
  }

  private Optional<String> text(String name) {
    return files.look(HostFiles.device(physical) + "/" + name).thing().map(String::strip);
  }

  private void write(String name, String value) {
    String path = files.resolve(HostFiles.device(physical) + "/" + name).toString();
    new Attribute(kernel, path, this::because).write(value);
  }

  private Because because(Errno e) {
    return switch (e.name()) {
      case "EACCES", "EPERM" -> new Because("this user may not make VFs", "run as root");
      case "ENOENT" ->
          new Because(
              "%s has no driver that makes VFs (it has %s)"
                  .formatted(physical, files.driver(physical).orElse("none")),
              "bind the physical function to its own driver; vfio-pci makes VFs with enable_sriov=1");
      case "ENOSPC", "ENOMEM" ->
          new Because(
              "vectors, bus numbers or BAR space for so many VFs are short",
              "ask for fewer, or boot with pci=assign-busses or pci=realloc");
      case "EBUSY" -> new Because("VFs are in use or there are some", "let them go first");
      default -> Because.general(e);
    };
  }

  /// Takes the VFs away. Nobody has one open any more.
  ///
  /// @throws ErrnoException when the kernel refuses
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      write("sriov_numvfs", "0");
    }
  }
}
