package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.DmaPort;
import dev.doorbell.hw.pcie.DemoLayout;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.hw.pcie.RootComplexModel;
import dev.doorbell.pci.Sbdf;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A kernel in memory for unit tests: VFIO containers, groups, device files and iommufd by the kernel's own rules, over models of functions,
/// every argument looked at strictly. Everything else (eventfds, epoll, memory, sockets) is the running kernel's. What it lets pass a
/// real kernel may refuse all the same: the lab asks one.
public final class FakeKernel implements DmaPort {
  private final Path root;
  private final SystemCalls real = SystemCalls.ofProcess();
  final Map<Sbdf, FakeFunction> functions = new LinkedHashMap<>();
  final Map<Integer, FakeFile> files = new LinkedHashMap<>();
  private final RootComplexModel complex = new RootComplexModel(0, 0, 0, this, false);
  final FakeSysfs sysfs;
  private int nextIrq;

  /// Whether type 1 and the IOMMU remember what devices write, and whether iommufd has requests for it.
  boolean remembersWrites;

  boolean hasDirtyTables = true;

  /// `dma_entry_limit`.
  int mostMappings = 65535;

  /// Bytes that a process may lock.
  long mayLock = Long.MAX_VALUE;

  /// Whether type 1 tells its IOVA ranges and how many mappings are left: from 5.4 on.
  boolean tellsRanges = true;

  FakePower power = FakePower.NONE;

  /// Whether IOVA ranges are told from the top down.
  boolean rangesBackwards;

  /// Bytes that it says were unmapped, less than there were.
  long unmapsLess;

  /// To what iommufd wants IOVAs aligned.
  long alignment = FakeSpace.PAGE;

  /// Offset in its file of what was mapped last.
  long lastMapped = -1;

  /// @param root an empty folder for sysfs and procfs
  public FakeKernel(Path root) {
    this.root = root;
    sysfs = new FakeSysfs(root);
    sysfs.write("proc/interrupts", " 24:  7  ITS-PCI-MSI 0000:00:01.0  eth0\n");
    sysfs.write(
        "proc/self/limits", "Max locked memory         8388608              8388608    bytes\n");
    allowUnsafeInterrupts(false);
  }

  /// Adds a function, in a group of its own with the number of its device.
  ///
  /// @param resizable whether MSI-X vectors come and go one by one
  public void add(Sbdf sbdf, EndpointSpec spec, String driver, boolean resizable) {
    FakeFunction f = new FakeFunction(sbdf, spec, resizable);
    complex.root().add(sbdf.requesterId(), f.model);
    f.place();
    functions.put(sbdf, f);
    String group = "sys/kernel/iommu_groups/" + f.group;
    sysfs.write(
        group + "/reserved_regions",
        power == FakePower.NONE ? "0x0000000008000000 0x00000000080fffff msi\n" : "");
    sysfs.write(group + "/devices/" + sbdf + "/x", "");
    sysfs.add(f, driver);
  }

  List<AddressRange> ranges() {
    return rangesBackwards ? FakeSpace.RANGES.reversed() : FakeSpace.RANGES;
  }

  /// {@return all open files of iommufd}
  List<FakeIommufd> iommufds() {
    return files.values().stream()
        .filter(FakeIommufd.class::isInstance)
        .map(FakeIommufd.class::cast)
        .distinct()
        .toList();
  }

  /// The machine is a POWER server, before its functions are added.
  public void makePower(FakePower kind) {
    power = kind;
    sysfs.write("proc/interrupts", " 49:  0  PNV-PCI-MSI 524288 Edge  virtio0-config\n");
  }

  /// From now on the kernel remembers what devices write.
  public void rememberWrites() {
    remembersWrites = true;
  }

  /// From now on the machine's MSIs go through a GICv2m, and its administrator allows that.
  public void makeUnsafe() {
    sysfs.write("proc/interrupts", " 24:  7  GICv2m-PCI-MSI-0000:00:01.0  eth0\n");
    allowUnsafeInterrupts(true);
  }

  /// Gives a function INTx.
  public void giveLine(Sbdf function) {
    functions.get(function).line = new FakeLine(this::signal);
  }

  /// A function asserts its INTx or lets it go.
  public synchronized void level(Sbdf function, boolean high) {
    Objects.requireNonNull(functions.get(function).line).level(high);
  }

  public void allowUnsafeInterrupts(boolean allowed) {
    for (String m : new String[] {"vfio_iommu_type1", "iommufd"}) {
      sysfs.write(
          "sys/module/" + m + "/parameters/allow_unsafe_interrupts", allowed ? "Y\n" : "N\n");
    }
  }

  /// Hides how interrupts go: only the kernel itself knows then.
  public void hideInterrupts() {
    sysfs.write("proc/interrupts", "");
  }

  boolean refusesIsolation() throws IOException {
    return Files.readString(root.resolve("proc/interrupts")).isEmpty()
        && Files.readString(root.resolve("sys/module/iommufd/parameters/allow_unsafe_interrupts"))
            .startsWith("N");
  }

  /// Sets how many vectors the host has left for a function.
  public void limitVectors(Sbdf function, int left) {
    functions.get(function).vectorsLeft = left;
  }

  /// The host's processors take few interrupts more.
  public void limitProcessors(Sbdf function, int left) {
    limitVectors(function, left);
    functions.get(function).shortOfProcessors = true;
  }

  /// The host wants a function back.
  public synchronized void wantBack(Sbdf function) {
    functions.get(function).request().ifPresent(this::signal);
  }

  /// A function that nobody has open any more is pulled out; its group, which has no other, leaves its container.
  public synchronized void unplug(Sbdf function) {
    FakeFunction gone = functions.remove(function);
    files
        .values()
        .forEach(f -> {
          if (f instanceof FakeFile.GroupFile g && g.function == gone) {
            g.container = null;
          }
        });
    sysfs.gone(gone);
  }

  /// A driver of the host takes a function that vfio-pci has.
  ///
  /// @param groupSaysSo whether the group's file says that it is not viable any more
  public void takenBy(Sbdf function, String driver, boolean groupSaysSo) {
    sysfs.showDriver(functions.get(function), driver);
    if (groupSaysSo) {
      functions.get(function).driver = driver;
    }
  }

  /// {@return functions that are reset with one: those of its bus}
  List<FakeFunction> resetTogether(FakeFunction with) {
    return functions.values().stream().filter(f -> f.sbdf.bus() == with.sbdf.bus()).toList();
  }

  /// The device raises a vector by itself.
  public synchronized void raise(Sbdf function, int vector) {
    functions.get(function).window(0).write(DemoLayout.RING.offset(), vector, Integer.BYTES);
    sysfs.show(functions.get(function));
  }

  /// Somebody sets a vector's mask bit, past every driver.
  public synchronized void mask(Sbdf function, int vector, boolean masked) {
    functions.get(function).mask(vector, masked);
  }

  /// From now on devices have no files of their own: a kernel without CONFIG_VFIO_DEVICE_CDEV.
  public void hideDeviceFiles() {
    sysfs.deviceFiles = false;
  }

  /// Shows configuration space to a user without rights.
  public void truncateConfig(Sbdf function, int bytes) {
    sysfs.truncate(functions.get(function), bytes);
  }

  /// Puts a function into the group of another.
  public void join(Sbdf function, Sbdf other) {
    sysfs.join(functions.get(function), functions.get(other));
  }

  /// {@return the driver that has a function; empty for none}
  public String driver(Sbdf function) {
    return functions.get(function).driver;
  }

  /// {@return a file of sysfs or procfs as it is now}
  public String read(String path) {
    return sysfs.read(path);
  }

  /// Makes a file of sysfs or procfs.
  public void write(String path, String text) {
    sysfs.write(path, text);
  }

  /// Takes a file or a folder of sysfs or procfs away.
  public void remove(String path) {
    sysfs.remove(path);
  }

  public boolean isBusMaster(Sbdf function) {
    return functions.get(function).isBusMaster();
  }

  public Path root() {
    return root;
  }

  int takeIrqs(int count) {
    // An MSI's vectors share a datum but for its low bits.
    nextIrq = Math.ceilDiv(nextIrq, 32) * 32;
    int first = nextIrq;
    nextIrq += count;
    return first;
  }

  void signal(int eventfd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment one = arena.allocate(ValueLayout.JAVA_LONG);
      one.set(ValueLayout.JAVA_LONG, 0, 1);
      if (real.write(eventfd, one) != Long.BYTES) {
        throw new IllegalStateException("a vector leads to a descriptor that is closed");
      }
    }
  }

  @Override
  public BusOutcome write(int requesterId, long address, long value, int bytes) {
    FakeFunction f = functions.get(Sbdf.of(0, requesterId));
    if (address == FakeFunction.DOORBELL) {
      Optional<Integer> fd = f.fdOf((int) value);
      fd.ifPresent(this::signal);
      sysfs.taken(f, (int) value);
      return fd.isPresent() ? BusOutcome.OK : BusOutcome.ERROR;
    }
    Optional<MemorySegment> m =
        FakeFile.spaceOf(this, f)
            .flatMap(s -> s.at(address, bytes, true, FakeFile.remembers(this, f)));
    m.ifPresent(to -> FakeSpace.store(to, value));
    return m.isPresent() ? BusOutcome.OK : BusOutcome.ERROR;
  }

  @Override
  public BusRead read(int requesterId, long address, int bytes) {
    FakeFunction f = functions.get(Sbdf.of(0, requesterId));
    return FakeFile.spaceOf(this, f)
        .flatMap(s -> s.at(address, bytes, false, false))
        .map(m -> BusRead.ok(FakeSpace.load(m)))
        .orElseGet(() -> BusRead.error(bytes));
  }

  /// {@return the system calls of this kernel}
  public SystemCalls calls() {
    return (SystemCalls)
        Proxy.newProxyInstance(
            SystemCalls.class.getClassLoader(),
            new Class<?>[] {SystemCalls.class},
            (proxy, method, a) -> {
              if (method.getDeclaringClass() == Object.class) {
                return method.getName().equals("hashCode") ? (Object) 2 : "fake kernel";
              }
              Object own = answer(method.getName(), a);
              try {
                Object answer = own == null ? method.invoke(real, a) : own;
                Held.note(method.getName(), a, answer);
                return answer;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /// {@return this kernel's own answer; null where the running kernel answers}
  private synchronized @Nullable Object answer(String call, Object[] a) {
    FakeFile f = a != null && a[0] instanceof Integer fd ? files.get(fd) : null;
    return switch (call) {
      case "open" -> opened((String) a[0]);
      case "mmap" -> {
        FakeFile mapped = files.get((Integer) a[3]);
        lastMapped = (long) a[4];
        yield mapped == null ? null : (Object) mapped.map((long) a[0], (long) a[4]);
      }
      case "duplicate" -> duplicate((Integer) a[0], f);
      case "close" -> {
        closed((Integer) a[0], f);
        yield null;
      }
      case "ioctl" -> f == null ? null : (Object) f.ioctl((int) a[1], (MemorySegment) a[2]);
      case "read", "write" -> {
        if (f == null && call.equals("write")) {
          written((Integer) a[0]);
        }
        yield f == null
            ? null
            : (Object)
                f.access(
                    call.equals("write"), (MemorySegment) a[1], a.length > 2 ? (long) a[2] : 0);
      }
      default -> null;
    };
  }

  private void written(int fd) {
    for (FakeFunction f : functions.values()) {
      if (f.line != null) {
        f.line.written(fd);
      }
    }
  }

  private @Nullable Object opened(String path) {
    if (path.startsWith("/dev/vfio") || path.startsWith("/dev/iommu")) {
      return open(path);
    }
    FakeFile file = sysfs.open(this, path);
    return file == null ? null : (Object) adopt(file);
  }

  private int duplicate(int of, @Nullable FakeFile f) {
    int fd = real.duplicate(of);
    if (f != null && fd >= 0) {
      files.put(fd, f);
    }
    return fd;
  }

  private void closed(int fd, @Nullable FakeFile f) {
    if (f != null) {
      files.remove(fd);
      if (!files.containsValue(f)) {
        f.released();
      }
    }
  }

  private int open(String path) {
    FakeFile f = FakeFile.open(this, path);
    if (f == null) {
      return -Errno.ENOENT.number();
    }
    if (f.exclusive() && files.values().stream().anyMatch(o -> o.path.equals(path))) {
      return -Errno.EBUSY.number();
    }
    return adopt(f);
  }

  /// {@return a descriptor for a file; underneath it is an eventfd, so that leaks can be counted}
  int adopt(FakeFile f) {
    int fd = real.eventfd(0, KernelConstants.EFD_CLOEXEC);
    files.put(fd, f);
    return fd;
  }

  static AddressRange range(long start, long bytes) {
    return AddressRange.ofSize(start, bytes);
  }
}
