package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;

import dev.doorbell.pci.Sbdf;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// sysfs and procfs of the fake kernel: a folder whose files follow what the kernel does, and those of its files that act when written.
final class FakeSysfs {
  /// The kernel's numbers of interrupts begin somewhere.
  static final int FIRST_IRQ = 40;

  private final Path root;
  private final Map<Integer, Long> counts = new HashMap<>();

  /// Drivers that take a function when the kernel asks around, besides the one that is forced.
  private final Map<Sbdf, String> natural = new HashMap<>();

  boolean deviceFiles = true;

  FakeSysfs(Path root) {
    this.root = root;
    write("sys/class/iommu/smmu3.0x0000000009050000/x", "");
    write("sys/bus/pci/drivers/vfio-pci/bind", "");
    write("sys/bus/pci/drivers_probe", "");
  }

  void add(FakeFunction f, String driver) {
    natural.put(f.sbdf, driver);
    write(device(f) + "/driver_override", "(null)\n");
    write(device(f) + "/vendor", "0x1b36\n");
    write(device(f) + "/device", "0x0001\n");
    link(device(f) + "/iommu_group", "sys/kernel/iommu_groups/" + f.group);
    f.model.bars().forEach(b -> write(device(f) + "/resource" + b.index(), ""));
    if (!driver.isEmpty()) {
      bind(f, driver);
    }
    show(f);
  }

  private static String device(FakeFunction f) {
    return "sys/bus/pci/devices/" + f.sbdf;
  }

  /// A function is pulled out.
  void gone(FakeFunction f) {
    unbind(f);
    remove("sys/kernel/iommu_groups/" + f.group);
    remove(device(f));
  }

  private void bind(FakeFunction f, String driver) {
    f.driver = driver;
    link(device(f) + "/driver", "sys/bus/pci/drivers/" + driver);
    write("sys/bus/pci/drivers/" + driver + "/unbind", "");
    if (driver.equals("vfio-pci")) {
      write(device(f) + "/vfio-dev/vfio" + f.group + (deviceFiles ? "/dev" : "/uevent"), "511:0\n");
    }
  }

  void showDriver(FakeFunction f, String driver) {
    link(device(f) + "/driver", "sys/bus/pci/drivers/" + driver);
  }

  private void unbind(FakeFunction f) {
    f.driver = "";
    remove(device(f) + "/driver");
    remove(device(f) + "/vfio-dev");
  }

  /// Writes down what the function looks like now.
  void show(FakeFunction f) {
    byte[] config = new byte[256];
    for (int i = 0; i < config.length; i++) {
      config[i] = (byte) f.model.config().read8(i);
    }
    bytes(device(f) + "/config", config);
    String folder = device(f) + "/msi_irqs";
    List<String> now =
        f.irqs().values().stream().map(i -> Integer.toString(FIRST_IRQ + i)).toList();
    for (String name : names(folder)) {
      if (!now.contains(name)) {
        remove(folder + "/" + name);
        remove("sys/kernel/irq/" + name);
      }
    }
    f.irqs()
        .forEach((vector, irq) -> {
          int number = FIRST_IRQ + irq;
          if (!Files.exists(root.resolve(folder + "/" + number))) {
            String line = "sys/kernel/irq/" + number;
            counts.put(number, 0L);
            write(folder + "/" + number, "msix\n");
            write(line + "/chip_name", "ITS-PCI-MSIX-" + f.sbdf + "\n");
            write(line + "/hwirq", vector + "\n");
            write(line + "/actions", "vfio-msix[%d](%s)\n".formatted(vector, f.sbdf));
            write(line + "/per_cpu_count", "0,0\n");
            write("proc/irq/" + number + "/effective_affinity_list", "1\n");
          }
        });
  }

  void truncate(FakeFunction f, int bytes) {
    byte[] config = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      config[i] = (byte) f.model.config().read8(i);
    }
    bytes(device(f) + "/config", config);
  }

  void join(FakeFunction f, FakeFunction other) {
    link(device(f) + "/iommu_group", "sys/kernel/iommu_groups/" + other.group);
    write("sys/kernel/iommu_groups/" + other.group + "/devices/" + f.sbdf + "/x", "");
    remove("sys/kernel/iommu_groups/" + f.group);
  }

  /// The kernel takes an interrupt.
  void taken(FakeFunction f, int event) {
    Integer irq = f.irqs().get(event);
    if (irq != null) {
      int number = FIRST_IRQ + irq;
      long n = counts.merge(number, 1L, Long::sum);
      write("sys/kernel/irq/" + number + "/per_cpu_count", "0," + n + "\n");
    }
  }

  /// {@return a file that acts when it is written or mapped; null for any other}
  @Nullable FakeFile open(FakeKernel kernel, String path) {
    if (!path.startsWith(root.toString())) {
      return null;
    }
    String name = Path.of(path).getFileName().toString();
    FakeFunction f =
        kernel.functions.values().stream()
            .filter(o -> path.startsWith(root.resolve(device(o)) + "/"))
            .findFirst()
            .orElse(null);
    if (f != null && name.startsWith("resource")) {
      return new BarFile(kernel, path, f, Integer.parseInt(name.substring("resource".length())));
    }
    return switch (name) {
      case "driver_override",
          "unbind",
          "drivers_probe",
          "sriov_numvfs",
          "sriov_drivers_autoprobe" ->
          new ActingFile(kernel, path);
      default -> null;
    };
  }

  private final class ActingFile extends FakeFile {
    ActingFile(FakeKernel kernel, String path) {
      super(kernel, path);
    }

    @Override
    int ioctl(int request, MemorySegment argument) {
      return -Errno.ENOTTY.number();
    }

    @Override
    long access(boolean write, MemorySegment data, long offset) {
      String text = new String(data.toArray(JAVA_BYTE), UTF_8).strip();
      if (path.endsWith("/driver_override")) {
        write(root.relativize(Path.of(path)).toString(), (text.isEmpty() ? "(null)" : text) + "\n");
        return data.byteSize();
      }
      if (path.contains("/sriov_")) {
        return sriov(root.relativize(Path.of(path)), text) ? data.byteSize() : numVfsAnswer;
      }
      FakeFunction f = kernel.functions.get(Sbdf.parse(text));
      if (f == null) {
        return -Errno.ENODEV.number();
      }
      if (path.endsWith("/unbind")) {
        unbind(f);
        return data.byteSize();
      }
      String override = read(device(f) + "/driver_override").strip();
      String driver = override.equals("(null)") ? natural.get(f.sbdf) : override;
      if (f.driver.isEmpty() && driver != null && !driver.isEmpty() && exists(driver)) {
        bind(f, driver);
      }
      return data.byteSize();
    }
  }

  /// What the kernel answers to a number of VFs when it makes none.
  int numVfsAnswer = -Errno.EBUSY.number();

  /// As `sriov_numvfs_store`: from none to some, or to none.
  private boolean sriov(Path file, String text) {
    if (file.endsWith("sriov_drivers_autoprobe")) {
      write(file.toString(), text + "\n");
      return true;
    }
    String device = file.getParent().toString();
    int count = Integer.parseInt(text);
    int has = Integer.parseInt(read(file.toString()).strip());
    if (numVfsAnswer != -Errno.EBUSY.number() || count != 0 && has != 0) {
      return count == 0;
    }
    for (int i = 0; i < has; i++) {
      remove(device + "/virtfn" + i);
    }
    for (int i = 0; i < count; i++) {
      link(device + "/virtfn" + i, "sys/bus/pci/devices/0000:00:10.%d".formatted(i));
    }
    write(file.toString(), count + "\n");
    return true;
  }

  private boolean exists(String driver) {
    return Files.isDirectory(root.resolve("sys/bus/pci/drivers/" + driver));
  }

  private static final class BarFile extends FakeFile {
    private final FakeFunction function;
    private final int bar;

    BarFile(FakeKernel kernel, String path, FakeFunction function, int bar) {
      super(kernel, path);
      this.function = function;
      this.bar = bar;
    }

    @Override
    int ioctl(int request, MemorySegment argument) {
      return -Errno.ENOTTY.number();
    }

    @Override
    long map(long bytes, long offset) {
      return copyOf(function, bar, bytes, offset);
    }
  }

  void write(String path, String text) {
    bytes(path, text.getBytes(UTF_8));
  }

  /// As a whole: who reads meanwhile sees what was there before, as of a file of the kernel, and never half of it.
  private void bytes(String path, byte[] text) {
    Path file = root.resolve(path);
    try {
      Files.createDirectories(file.getParent());
      if (Files.isSymbolicLink(file)) {
        Files.write(file, text);
        return;
      }
      Path whole = Files.createTempFile(root.toAbsolutePath().getParent(), "sysfs", ".new");
      Files.write(whole, text);
      Files.move(whole, file, ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String read(String path) {
    try {
      return Files.readString(root.resolve(path));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void remove(String path) {
    Path p = root.resolve(path);
    try {
      if (Files.isSymbolicLink(p)) {
        Files.delete(p);
        return;
      }
      try (Stream<Path> all = Files.exists(p) ? Files.walk(p) : Stream.empty()) {
        for (Path one : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(one);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private TreeSet<String> names(String folder) {
    Path p = root.resolve(folder);
    try (Stream<Path> all = Files.isDirectory(p) ? Files.list(p) : Stream.empty()) {
      TreeSet<String> out = new TreeSet<>();
      all.forEach(f -> out.add(f.getFileName().toString()));
      return out;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void link(String path, String to) {
    try {
      Files.createDirectories(root.resolve(path).getParent());
      Files.createDirectories(root.resolve(to));
      Files.deleteIfExists(root.resolve(path));
      Files.createSymbolicLink(root.resolve(path), root.resolve(to));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
