package dev.doorbell.vmm;

import dev.doorbell.address.AddressRange;
import java.util.Optional;

/// The device tree that a guest is handed.
///
/// **Source**: Linux `Documentation/devicetree/bindings` (`arm,gic-v3`, `pl011`, `host-generic-pci`, `pci-msi`, `arch_timer`, `psci`)
final class GuestTree {
  private static final int GIC = 1;
  private static final int ITS = 2;
  private static final int CLOCK = 3;

  private static final int SPI = 0;
  private static final int PPI = 1;
  private static final int LEVEL_HIGH = 4;
  private static final int LEVEL_LOW = 8;
  private static final int FIRST_SPI = 32;
  private static final int CLOCK_HERTZ = 24_000_000;

  /// Memory space of 32 bits that is not prefetchable, in a host bridge's `ranges`.
  private static final int MEMORY_SPACE_32 = 0x0200_0000;

  private static final int REQUESTER_IDS = 0x100;

  private GuestTree() {}

  /// What differs between guests.
  ///
  /// @param memory guest-physical
  /// @param initrd guest-physical
  record Choice(AddressRange memory, Optional<AddressRange> initrd, String commandLine) {}

  /// {@return the tree}
  static FdtWriter of(Choice choice) {
    FdtWriter t = new FdtWriter();
    t.begin("")
        .texts("compatible", "linux,dummy-virt")
        .texts("model", "doorbell,vm")
        .cells("#address-cells", 2)
        .cells("#size-cells", 2)
        .cells("interrupt-parent", GIC);
    chosen(t, choice);
    t.begin("memory@" + hex(choice.memory()))
        .texts("device_type", "memory")
        .longs("reg", choice.memory().start(), choice.memory().bytes())
        .end();
    processors(t);
    interrupts(t);
    console(t);
    bridge(t);
    return t.end();
  }

  private static void chosen(FdtWriter t, Choice choice) {
    t.begin("chosen")
        .texts("bootargs", choice.commandLine())
        .texts("stdout-path", "/pl011@" + hex(GuestMap.CONSOLE));
    choice
        .initrd()
        .ifPresent(
            i -> t.longs("linux,initrd-start", i.start()).longs("linux,initrd-end", i.last() + 1));
    t.end();
  }

  private static void processors(FdtWriter t) {
    t.begin("psci")
        .texts("compatible", "arm,psci-1.0", "arm,psci-0.2")
        .texts("method", "hvc")
        .end();
    t.begin("cpus").cells("#address-cells", 1).cells("#size-cells", 0);
    t.begin("cpu@0")
        .texts("device_type", "cpu")
        .texts("compatible", "arm,armv8")
        .texts("enable-method", "psci")
        .cells("reg", 0)
        .end();
    t.end();
    // Secure, non-secure, virtual and hypervisor timer.
    t.begin("timer")
        .texts("compatible", "arm,armv8-timer")
        .cells(
            "interrupts",
            PPI,
            13,
            LEVEL_LOW,
            PPI,
            14,
            LEVEL_LOW,
            PPI,
            11,
            LEVEL_LOW,
            PPI,
            10,
            LEVEL_LOW)
        .flag("always-on")
        .end();
  }

  private static void interrupts(FdtWriter t) {
    t.begin("intc@" + hex(GuestMap.DISTRIBUTOR))
        .texts("compatible", "arm,gic-v3")
        .cells("#interrupt-cells", 3)
        .flag("interrupt-controller")
        .cells("#address-cells", 2)
        .cells("#size-cells", 2)
        .flag("ranges")
        .longs(
            "reg",
            GuestMap.DISTRIBUTOR.start(),
            GuestMap.DISTRIBUTOR.bytes(),
            GuestMap.REDISTRIBUTOR.start(),
            GuestMap.REDISTRIBUTOR.bytes())
        .cells("phandle", GIC);
    t.begin("its@" + hex(GuestMap.ITS))
        .texts("compatible", "arm,gic-v3-its")
        .flag("msi-controller")
        .cells("#msi-cells", 1)
        .longs("reg", GuestMap.ITS.start(), GuestMap.ITS.bytes())
        .cells("phandle", ITS)
        .end();
    t.end();
  }

  private static void console(FdtWriter t) {
    t.begin("apb-pclk")
        .texts("compatible", "fixed-clock")
        .cells("#clock-cells", 0)
        .cells("clock-frequency", CLOCK_HERTZ)
        .texts("clock-output-names", "clk24mhz")
        .cells("phandle", CLOCK)
        .end();
    t.begin("pl011@" + hex(GuestMap.CONSOLE))
        .texts("compatible", "arm,pl011", "arm,primecell")
        .longs("reg", GuestMap.CONSOLE.start(), GuestMap.CONSOLE.bytes())
        .cells("interrupts", SPI, GuestMap.CONSOLE_INTID - FIRST_SPI, LEVEL_HIGH)
        .cells("clocks", CLOCK, CLOCK)
        .texts("clock-names", "uartclk", "apb_pclk")
        .end();
  }

  private static void bridge(FdtWriter t) {
    AddressRange w = GuestMap.BARS;
    t.begin("pcie@" + hex(GuestMap.ECAM))
        .texts("compatible", "pci-host-ecam-generic")
        .texts("device_type", "pci")
        .cells("#address-cells", 3)
        .cells("#size-cells", 2)
        .cells("bus-range", 0, 0)
        .cells("linux,pci-domain", 0)
        .flag("dma-coherent")
        .longs("reg", GuestMap.ECAM.start(), GuestMap.ECAM.bytes())
        .cells(
            "ranges", MEMORY_SPACE_32, 0, (int) w.start(), 0, (int) w.start(), 0, (int) w.bytes())
        .cells("msi-map", 0, ITS, 0, REQUESTER_IDS)
        .end();
  }

  private static String hex(AddressRange r) {
    return Long.toHexString(r.start());
  }
}
