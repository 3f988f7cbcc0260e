package dev.doorbell.vmm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.linux.Errno;
import dev.doorbell.linux.FailingCalls;
import dev.doorbell.linux.FakeKernel;
import dev.doorbell.linux.Held;
import dev.doorbell.linux.LinuxDevice;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.linux.LinuxVfio;
import dev.doorbell.linux.SystemCalls;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.MsixTable;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PcieLayout;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.RegionType;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("a function as the guest has it: reset by the guest, and given back when it fails")
class GuestFunctionTest {
  private static final Sbdf F = Sbdf.parse("00:01.0");
  private static final long DOORBELL = 0x809_0040L;
  private static final int COMMAND = 4;
  private static final int BAR0 = 0x10;
  private static final int MEMORY_AND_MASTER = 6;

  private final Map<String, Integer> before = Held.now();
  private final NotingGuest messages = new NotingGuest();
  private final Map<Integer, AddressRange> slots = new TreeMap<>();
  private final Set<Long> mapped = new HashSet<>();
  private final List<String> notices = new ArrayList<>();

  private final GuestMemory memory =
      new GuestMemory() {
        @Override
        public void add(int slot, AddressRange guest, MemorySegment memory) {
          slots.put(slot, guest);
        }

        @Override
        public void remove(int slot) {
          slots.remove(slot);
        }
      };

  /// What a test does with a function.
  private interface Body {
    void run(FakeKernel kernel, FailingCalls calls, LinuxDevice device);
  }

  private void with(Path root, Body body) {
    FakeKernel k = new FakeKernel(root);
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    FailingCalls calls = new FailingCalls(noting(k.calls()));
    LinuxOptions options =
        new LinuxOptions(calls.calls(), k.root(), Access.CONTAINER, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(options);
        Container c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (LinuxDevice d = (LinuxDevice) vfio.group(F).open(F)) {
        body.run(k, calls, d);
      }
      assertEquals(0, messages.ways, "every way into the guest is closed");
    }
    assertEquals(before, Held.now());
  }

  /// Calls that remember what is mapped.
  private SystemCalls noting(SystemCalls to) {
    return (SystemCalls)
        Proxy.newProxyInstance(
            SystemCalls.class.getClassLoader(),
            new Class<?>[] {SystemCalls.class},
            (proxy, method, arguments) -> {
              try {
                Object answer = method.invoke(to, arguments);
                if (method.getName().equals("mmap") && (Long) answer > 0) {
                  mapped.add((Long) answer);
                } else if (method.getName().equals("munmap")) {
                  mapped.remove(((MemorySegment) arguments[0]).address());
                }
                return answer;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private GuestFunction function(LinuxDevice device) {
    return new GuestFunction(
        device, new GuestFunction.Surroundings(memory, messages, notices::add), F);
  }

  /// As a driver does: a place, decoding, DMA, and two vectors.
  private static MsixCapability start(LinuxDevice device, ConfigSpace config) {
    config.write(BAR0, (int) GuestMap.BARS.start(), Integer.BYTES);
    config.write(BAR0 + Integer.BYTES, 0, Integer.BYTES);
    config.write(COMMAND, MEMORY_AND_MASTER, Short.BYTES);
    MsixCapability m = PciFunction.of(F, config, "guest").msix().thing().orElseThrow();
    MsixTable t =
        m.table(
            device.region(RegionType.ofBar(m.tableBar())),
            device.region(RegionType.ofBar(m.pbaBar())));
    t.enable(2);
    t.functionMask(true);
    for (int v = 0; v < 2; v++) {
      t.write(v, DOORBELL, v);
      t.mask(v, false);
    }
    t.functionMask(false);
    return m;
  }

  private static int deviceControl(ConfigSpace config) {
    return PciFunction.of(F, config, "guest")
            .capabilities()
            .find(CapabilityLayout.PCI_EXPRESS)
            .thing()
            .orElseThrow()
            .offset()
        + (int) PcieLayout.DEVICE_CONTROL.offset();
  }

  private static void reset(ConfigSpace config, int at, int control) {
    config.write(at, control | (int) PcieLayout.INITIATE_FLR.mask(), Short.BYTES);
  }

  @Test
  @DisplayName(
      "Initiate Function Level Reset: no decoding, no DMA, no vectors, until the guest sets it up again")
  void functionLevelReset(@TempDir Path root) {
    with(
        root,
        (kernel, calls, device) -> {
          try (GuestFunction f = function(device)) {
            ConfigSpace config = f.config();
            MsixCapability m = start(device, config);
            assertEquals(2, f.led());
            assertTrue(kernel.isBusMaster(F));
            assertEquals(GuestMap.BARS.start(), slots.get(1).start());
            int at = deviceControl(config);
            reset(config, at, config.read16(at));
            assertEquals(0, config.read16(COMMAND));
            assertFalse(kernel.isBusMaster(F));
            assertFalse(m.isEnabled());
            assertEquals(0, f.led());
            assertEquals(Map.of(), slots);
            start(device, config);
            assertEquals(2, f.led());
            assertTrue(kernel.isBusMaster(F));
            assertEquals(List.of(), notices);
          }
        });
  }

  @Test
  @DisplayName(
      "a reset that the host's kernel does not do: the function and the guest go on, and the user is told")
  void refusedReset(@TempDir Path root) {
    with(
        root,
        (kernel, calls, device) -> {
          try (GuestFunction f = function(device)) {
            ConfigSpace config = f.config();
            start(device, config);
            int at = deviceControl(config);
            int control = config.read16(at);
            int command = config.read16(COMMAND);
            calls.fail(0, Errno.ENOTTY);
            reset(config, at, control);
            calls.fail(-1, Errno.ENOTTY);
            assertEquals(1, notices.size());
            assertTrue(notices.getFirst().contains(F.toString()), notices.getFirst());
            assertTrue(notices.getFirst().contains("ENOTTY"), notices.getFirst());
            assertEquals(command, config.read16(COMMAND));
            assertEquals(2, f.led());
          }
        });
  }

  @Test
  @DisplayName("whichever system call fails while it is made, nothing stays mapped")
  void leavesNothingMapped(@TempDir Path root) {
    with(
        root,
        (kernel, calls, device) -> {
          Set<Long> others = Set.copyOf(mapped);
          int failures = 0;
          boolean made = false;
          while (!made) {
            calls.fail(failures, Errno.ENOMEM);
            try (GuestFunction _ = function(device)) {
              made = calls.made().size() <= failures;
              assertFalse(mapped.equals(others), "a BAR is mapped while it is there");
            } catch (RuntimeException e) {
              failures++;
            }
            calls.fail(-1, Errno.ENOMEM);
            assertEquals(others, mapped, "after call " + failures);
          }
          assertTrue(failures > 2, "calls that failed: " + failures);
        });
  }
}
