package dev.doorbell.linux.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.linux.Descriptor;
import dev.doorbell.linux.Errno;
import dev.doorbell.linux.ErrnoException;
import dev.doorbell.linux.Kernel;
import dev.doorbell.linux.SystemCalls;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("KVM_SET_GSI_ROUTING: the table that the kernel gets, member by member")
class KvmRoutesTest {
  private static final int FD = 1234;

  /// Whether the machine's controllers look at the device of a message, as an ITS does.
  private boolean looks;

  private Errno refused = Errno.EINVAL;
  private boolean refuses;
  private final List<String> last = new ArrayList<>();
  private final Descriptor vm = new Kernel(calls()).own(FD, "KVM_CREATE_VM", "vm");
  private final KvmRoutes routes = new KvmRoutes(vm);

  private SystemCalls calls() {
    return (SystemCalls)
        Proxy.newProxyInstance(
            SystemCalls.class.getClassLoader(),
            new Class<?>[] {SystemCalls.class},
            (proxy, method, a) ->
                switch (method.getName()) {
                  case "ioctl" -> request((int) a[1], (MemorySegment) a[2]);
                  case "close" -> 0;
                  default -> throw new AssertionError(method.getName());
                });
  }

  private int request(int number, MemorySegment argument) {
    if (number == KvmLayout.KVM_CHECK_EXTENSION.number()) {
      assertEquals(KvmLayout.CAP_MSI_DEVID, argument.address());
      return looks ? 1 : 0;
    }
    assertEquals(KvmLayout.KVM_SET_GSI_ROUTING.number(), number);
    if (refuses) {
      return -refused.number();
    }
    last.clear();
    long at = KvmLayout.ROUTING_ENTRIES.offset();
    for (int i = 0; i < KvmLayout.ROUTING_NR.getInt(argument); i++) {
      last.add(entry(argument.asSlice(at, KvmLayout.ROUTE.bytes())));
      at += KvmLayout.ROUTE.bytes();
    }
    assertEquals(argument.byteSize(), at, "nothing behind what is counted");
    return 0;
  }

  private static String entry(MemorySegment r) {
    int gsi = KvmLayout.ROUTE_GSI.getInt(r);
    if (KvmLayout.ROUTE_TYPE.get(r) == KvmLayout.ROUTE_MSI) {
      return "%d: 0x%x%08x 0x%x flags %d device 0x%x"
          .formatted(
              gsi,
              KvmLayout.ROUTE_ADDRESS_HI.get(r),
              KvmLayout.ROUTE_ADDRESS_LO.get(r),
              KvmLayout.ROUTE_DATA.get(r),
              KvmLayout.ROUTE_FLAGS.get(r),
              KvmLayout.ROUTE_DEVID.get(r));
    }
    assertEquals(KvmLayout.ROUTE_TO_IRQCHIP, (int) KvmLayout.ROUTE_TYPE.get(r));
    return "%d: chip %d pin %d"
        .formatted(gsi, KvmLayout.ROUTE_IRQCHIP.get(r), KvmLayout.ROUTE_PIN.get(r));
  }

  @AfterEach
  void close() {
    vm.close();
  }

  private static GuestMsi of(long address, int data, int device) {
    return new GuestMsi(address, data, OptionalInt.of(device));
  }

  @Test
  @DisplayName(
      "both halves of an address, datum, and the device where it is told (KVM_MSI_VALID_DEVID)")
  void messages() {
    routes.put(
        Map.of(
            24, of(0x12_0809_0040L, 0x8765_4321, 0x1_0308), 25, GuestMsi.of(0xfee0_1000L, 0x41)));
    assertEquals(
        List.of(
            "24: 0x1208090040 0x87654321 flags 1 device 0x10308",
            "25: 0x0fee01000 0x41 flags 0 device 0x0"),
        last);
  }

  @Test
  @DisplayName(
      "a change keeps the other routes; what the kernel refuses changes nothing, and the limit is told")
  void changes() {
    routes.put(Map.of(24, GuestMsi.of(0xfee0_0000L, 0x41)));
    routes.put(Map.of(26, GuestMsi.of(0xfee0_0000L, 0x43)));
    refuses = true;
    ErrnoException e =
        assertThrows(
            ErrnoException.class,
            () -> routes.put(Map.of(24, GuestMsi.of(0xfee0_0000L, 0x99), 29, GuestMsi.of(0, 1))));
    assertTrue(e.getMessage().contains("3 routes up to interrupt 29"), e::getMessage);
    assertTrue(e.refusal().advice().contains("4096"), e.refusal()::advice);
    refuses = false;
    routes.put(Map.of(27, GuestMsi.of(0xfee0_0000L, 0x44)));
    assertEquals(
        List.of(
            "24: 0x0fee00000 0x41 flags 0 device 0x0",
            "26: 0x0fee00000 0x43 flags 0 device 0x0",
            "27: 0x0fee00000 0x44 flags 0 device 0x0"),
        last);
  }

  @Test
  @DisplayName(
      "a machine with an ITS delivers no message without a device: RouteNeedsDevice, and nothing is asked of the kernel")
  void withoutDevice() {
    looks = true;
    routes.put(Map.of(24, of(0x809_0040L, 1, 8)));
    List<String> whole = List.copyOf(last);
    assertThrows(RouteNeedsDevice.class, () -> routes.put(Map.of(25, GuestMsi.of(0x809_0040L, 2))));
    assertEquals(whole, last);
    routes.put(Map.of(25, of(0x809_0040L, 2, 8)));
    assertEquals(2, last.size());
  }

  @Test
  @DisplayName(
      "a PC: interrupts below 24 lead to the IOAPIC and the first 16 to the 8259s, but for those with a message")
  void pc() {
    routes.leadToPcInputs();
    routes.put(Map.of(9, GuestMsi.of(0xfee0_0000L, 0x41), 30, GuestMsi.of(0xfee0_0000L, 0x42)));
    assertEquals(2 + 23 + 15, last.size());
    assertTrue(last.stream().filter(l -> l.startsWith("9: ")).allMatch(l -> l.contains("0x41")));
    for (int gsi = 0; gsi < 24; gsi++) {
      if (gsi == 9) {
        continue;
      }
      assertTrue(last.contains("%d: chip 2 pin %d".formatted(gsi, gsi)), last::toString);
      boolean inPic = last.contains("%d: chip %d pin %d".formatted(gsi, gsi / 8, gsi % 8));
      assertEquals(gsi < 16, inPic, last::toString);
    }
  }
}
