package dev.doorbell.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.explain.FileTrouble;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.Seen;
import dev.doorbell.vfio.Viability;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// What the kernel tells in sysfs and procfs about groups, functions and interrupts. Read anew at each question: all of it may change.
///
/// **Source**: Linux `Documentation/ABI/testing/sysfs-kernel-iommu_groups`, `sysfs-bus-pci`; `drivers/iommu/iommu.c`
final class HostFiles {
  /// Drivers whose functions a group may hold while it is assigned: those that do no DMA of their own, and VFIO's, which give theirs to
  /// users. Each says so itself to the kernel, by `driver_managed_dma`; a group with a function of any other is not viable.
  ///
  /// **Source**: Linux 6.18 `drivers/pci/pci-stub.c`, `drivers/pci/pcie/portdrv.c`, `drivers/vfio`, `drivers/bus/fsl-mc/dprc-driver.c` (names as in `/sys/bus/*/drivers`)
  private static final Set<String> HARMLESS =
      Set.of(
          "pci-stub",
          "pcieport",
          "vfio-pci",
          "hisi_acc_vfio_pci",
          "mlx5_vfio_pci",
          "nvgrace_gpu_vfio_pci",
          "pds_vfio_pci",
          "qat_vfio_pci",
          "virtio_vfio_pci",
          "xe-vfio-pci",
          "vfio-platform",
          "vfio-amba",
          "vfio-fsl-mc",
          "fsl_mc_dprc",
          "vfio-cdx");

  /// Where Linux maps doorbells on machines whose MSIs are translated (`MSI_IOVA_BASE`, `MSI_IOVA_LENGTH`).
  static final AddressRange SW_MSI = AddressRange.ofSize(0x800_0000L, 0x10_0000L);

  private static final long AT_PAGESZ = 6;

  private final Path root;

  /// @param root `/`, or a folder laid out like it
  HostFiles(Path root) {
    this.root = root;
  }

  /// {@return numbers of the groups, ascending}
  List<Integer> groups() {
    return names("sys/kernel/iommu_groups").stream()
        .filter(HostFiles::isNumber)
        .map(Integer::parseInt)
        .sorted()
        .toList();
  }

  /// {@return functions of a group, ascending; platform devices in it are left out}
  List<Sbdf> functions(int group) {
    return members(group).stream().filter(HostFiles::isFunction).map(Sbdf::parse).sorted().toList();
  }

  private List<String> members(int group) {
    return names("sys/kernel/iommu_groups/" + group + "/devices");
  }

  private static boolean isFunction(String name) {
    return name.matches("[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]");
  }

  /// {@return the group of a function; empty when it has none, which may change once a driver is bound}
  Optional<Integer> group(Sbdf function) {
    return link(device(function) + "/iommu_group")
        .filter(HostFiles::isNumber)
        .map(Integer::parseInt);
  }

  Optional<String> driver(Sbdf function) {
    return link(device(function) + "/driver");
  }

  boolean exists(Sbdf function) {
    return Files.isDirectory(root.resolve(device(function)));
  }

  /// {@return whether vfio-pci can be bound}
  boolean hasVfioDriver() {
    return Files.isDirectory(root.resolve("sys/bus/pci/drivers/vfio-pci"));
  }

  /// {@return whether this kernel drives an IOMMU, or has made a group of some function all the same}
  boolean hasIommu() {
    return !names("sys/class/iommu").isEmpty()
        || groups().stream().anyMatch(g -> !isWithoutIommu(g));
  }

  /// {@return whether VFIO made a group up for a function that no IOMMU confines}
  boolean isWithoutIommu(int group) {
    return text("sys/kernel/iommu_groups/" + group + "/name")
        .filter(t -> t.strip().equals("vfio-noiommu"))
        .isPresent();
  }

  /// {@return whether VFIO is told to hand functions out without an IOMMU}
  boolean allowsNoIommu() {
    return text("sys/module/vfio/parameters/enable_unsafe_noiommu_mode")
        .filter(t -> t.strip().equals("Y"))
        .isPresent();
  }

  /// {@return what the host has by a function, such as `net eth0`}
  List<String> serves(Sbdf function) {
    List<String> out = new ArrayList<>();
    for (String kind : List.of("net", "nvme", "block", "drm", "sound", "infiniband")) {
      names(device(function) + "/" + kind).forEach(n -> out.add(kind + " " + n));
    }
    return out;
  }

  /// {@return the driver that alone may have a function; empty when any may}
  Optional<String> driverOverride(Sbdf function) {
    return text(device(function) + "/driver_override")
        .map(String::strip)
        .filter(t -> !t.isEmpty() && !t.equals("(null)"));
  }

  /// {@return whether a function bound to a VFIO driver has a file of its own (CONFIG_VFIO_DEVICE_CDEV)}
  boolean hasVfioFile(Sbdf function) {
    return vfioDevice(function)
        .map(n -> device(function) + "/vfio-dev/" + n + "/dev")
        .filter(p -> Files.exists(root.resolve(p)))
        .isPresent();
  }

  /// {@return a file's text, or why there is none}
  Seen<String> look(String path) {
    try {
      return new Seen.There<>(new String(Files.readAllBytes(root.resolve(path)), UTF_8));
    } catch (NoSuchFileException e) {
      return new Seen.NotThere<>();
    } catch (AccessDeniedException e) {
      return new Seen.NotVisible<>("/%s may not be read by this user".formatted(path));
    } catch (IOException e) {
      return new Seen.NotVisible<>("/%s cannot be read: %s".formatted(path, FileTrouble.of(e)));
    }
  }

  Path resolve(String path) {
    return root.resolve(path);
  }

  /// {@return the name of the function's own VFIO device, such as `vfio0`; empty without such devices in this kernel}
  Optional<String> vfioDevice(Sbdf function) {
    return names(device(function) + "/vfio-dev").stream().findFirst();
  }

  /// {@return functions and other devices of a group that the host uses}
  List<Viability.Blocker> blockers(int group) {
    List<Viability.Blocker> out = new ArrayList<>();
    for (String name : members(group)) {
      Optional<String> driver =
          isFunction(name)
              ? driver(Sbdf.parse(name))
              : link("sys/kernel/iommu_groups/%d/devices/%s/driver".formatted(group, name));
      driver
          .filter(d -> !isHarmless(d))
          .ifPresent(d ->
              out.add(
                  new Viability.Blocker(
                      name, "driver " + d, "the kernel put it into group " + group)));
    }
    return out;
  }

  static boolean isHarmless(String driver) {
    return HARMLESS.contains(driver);
  }

  /// {@return regions that a group reserves}
  ///
  /// Linux prints both MSI kinds as `msi`: where it maps doorbells itself is told apart by the place that it always takes.
  List<ReservedRegion> reserved(int group) {
    String file = "sys/kernel/iommu_groups/" + group + "/reserved_regions";
    List<ReservedRegion> out = new ArrayList<>();
    for (String line : text(file).orElse("").lines().toList()) {
      String[] w = line.strip().split("\\s+", -1);
      if (w.length == 3 && isAddress(w[0]) && isAddress(w[1])) {
        long first = address(w[0]);
        long last = address(w[1]);
        if (Long.compareUnsigned(first, last) <= 0) {
          AddressRange range = new AddressRange(first, last);
          out.add(new ReservedRegion(range, kind(w[2], range), Source.file(file)));
        }
      }
    }
    return out;
  }

  private static boolean isAddress(String text) {
    return text.matches("0x[0-9a-fA-F]{1,16}");
  }

  private static long address(String hex) {
    return Long.parseUnsignedLong(hex.substring(2), 16);
  }

  /// {@return whether a text is a number that an `int` holds for certain}
  static boolean isNumber(String text) {
    return text.matches("[0-9]{1,9}");
  }

  /// {@return whether a text is a number that a `long` holds for certain, in bytes also when it counts KiB}
  static boolean isCount(String text) {
    return text.matches("[0-9]{1,15}");
  }

  private static ReservedRegion.Kind kind(String printed, AddressRange range) {
    return switch (printed) {
      case "direct" -> ReservedRegion.Kind.DIRECT;
      case "direct-relaxable" -> ReservedRegion.Kind.DIRECT_RELAXABLE;
      case "msi" -> range.equals(SW_MSI) ? ReservedRegion.Kind.SW_MSI : ReservedRegion.Kind.MSI;
      default -> ReservedRegion.Kind.RESERVED;
    };
  }

  /// Whether this kernel's MSIs are isolated, as far as it can be seen without attaching anything.
  enum Isolation {
    /// An interrupt goes through a controller that knows who writes: an ITS, or an IOMMU's remapping.
    ISOLATED,
    /// Message-signalled interrupts go through a controller that takes any writer's.
    OPEN,
    UNSEEN
  }

  /// **Source**: chip names in `/proc/interrupts`: `ITS-…`, `IR-…`, `PNV-PCI-MSI` and `pSeries-PCI-MSI` (POWER's bridges compare who writes
  /// with the interrupt's owner, OPAL_PCI_SET_XIVE_PE); `GICv2m`, `MBI`
  Isolation isolation() {
    String all = text("proc/interrupts").orElse("");
    boolean open =
        all.lines().anyMatch(l -> l.contains("GICv2m") || l.matches(".*\\bMBI\\b.*MSI.*"));
    if (open) {
      return Isolation.OPEN;
    }
    boolean isolated = all.lines().anyMatch(l -> l.matches(".*\\b(ITS|IR|PNV-PCI|pSeries-PCI)-.*"));
    return isolated ? Isolation.ISOLATED : Isolation.UNSEEN;
  }

  /// {@return whether the kernel was told to take groups that are not isolated}
  boolean allowsUnsafeInterrupts(Access access) {
    return text(unsafeInterrupts(access)).filter(t -> t.strip().equals("Y")).isPresent();
  }

  /// {@return the file by which an administrator tells it} Each interface has its own; containers are iommufd's where the kernel has no type 1
  /// (CONFIG_IOMMUFD_VFIO_CONTAINER).
  String unsafeInterrupts(Access access) {
    String type1 = "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts";
    String iommufd = "sys/module/iommufd/parameters/allow_unsafe_interrupts";
    boolean ofType1 = Files.exists(root.resolve(type1)) || !Files.exists(root.resolve(iommufd));
    return access == Access.CONTAINER && ofType1 ? type1 : iommufd;
  }

  /// {@return whether Intel's driver may have the IOMMUs here: where the kernel names them, it names them so}
  boolean mayBeIntel() {
    List<String> iommus = names("sys/class/iommu");
    return iommus.isEmpty() || iommus.stream().anyMatch(n -> n.startsWith("dmar"));
  }

  /// {@return the first word behind a name at a line's begin, as procfs prints its tables}
  Optional<String> field(String path, String name) {
    return text(path)
        .orElse("")
        .lines()
        .filter(l -> l.startsWith(name))
        .map(l -> l.substring(name.length()).strip().split("\\s+", 2)[0])
        .findFirst();
  }

  /// {@return the size of this process's pages}
  ///
  /// **Source**: `getauxval(3)`, AT_PAGESZ
  long pageBytes() {
    Path p = root.resolve("proc/self/auxv");
    if (!Files.isReadable(p)) {
      return Granule.K4.bytes();
    }
    try {
      LongBuffer pairs =
          ByteBuffer.wrap(Files.readAllBytes(p)).order(ByteOrder.nativeOrder()).asLongBuffer();
      while (pairs.remaining() > 1) {
        long type = pairs.get();
        long value = pairs.get();
        if (type == AT_PAGESZ) {
          return value;
        }
      }
      return Granule.K4.bytes();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read /proc/self/auxv", e);
    }
  }

  static String device(Sbdf function) {
    return "sys/bus/pci/devices/" + function;
  }

  Optional<String> link(String path) {
    Path p = root.resolve(path);
    try {
      return Files.isSymbolicLink(p)
          ? Optional.of(Files.readSymbolicLink(p).getFileName().toString())
          : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the link /" + path, e);
    }
  }

  List<String> names(String folder) {
    Path p = root.resolve(folder);
    if (!Files.isDirectory(p)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(p)) {
      return all.map(f -> f.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list /" + folder, e);
    }
  }

  private Optional<String> text(String path) {
    try {
      return Optional.of(new String(Files.readAllBytes(root.resolve(path)), UTF_8));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read /" + path, e);
    }
  }

  /// @throws DriverInUse when a driver has a function for the host
  void requireFree(Sbdf function) {
    driver(function)
        .filter(d -> !isHarmless(d))
        .ifPresent(d -> {
          throw new DriverInUse(function, d, serves(function));
        });
  }
}
