package dev.doorbell.vfio;

import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.ExtendedLayout;
import dev.doorbell.pci.PciFunction;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// What a reset of a function loses and its host must put back: where its BARs are, its switches, and what keeps functions of one device
/// apart, on which its group rests.
///
/// @param header the function's registers
/// @param acs its Access Control Services
record SavedHeader(
    ConfigAccess header,
    List<Long> bars,
    long command,
    long cacheLineSize,
    long interruptLine,
    Optional<AcsControl> acs) {
  /// The services that are on, and the capability that they stand in.
  record AcsControl(ConfigAccess capability, long enabled) {}

  static SavedHeader of(PciFunction pci, ConfigSpace config) {
    ConfigAccess header = ConfigAccess.header(config);
    return new SavedHeader(
        header,
        IntStream.range(0, ConfigHeaderLayout.BAR.count())
            .mapToObj(i -> header.read(ConfigHeaderLayout.BAR, i))
            .toList(),
        header.read(ConfigHeaderLayout.COMMAND),
        header.read(ConfigHeaderLayout.CACHE_LINE_SIZE),
        header.read(ConfigHeaderLayout.INTERRUPT_LINE),
        pci.acs()
            .thing()
            .map(a -> new ConfigAccess(config, a.offset()))
            .map(c -> new AcsControl(c, c.read(ExtendedLayout.ACS_CONTROL))));
  }

  /// Writes all back, the switches last so that nothing is decoded at a wrong place. Bus Master Enable stays off: whoever gets the
  /// function turns it on.
  void restore() {
    for (int i = 0; i < bars.size(); i++) {
      if (header.read(ConfigHeaderLayout.BAR, i) != bars.get(i)) {
        header.write(ConfigHeaderLayout.BAR, i, bars.get(i));
      }
    }
    header.write(ConfigHeaderLayout.CACHE_LINE_SIZE, cacheLineSize);
    header.write(ConfigHeaderLayout.INTERRUPT_LINE, interruptLine);
    acs.ifPresent(a -> a.capability().write(ExtendedLayout.ACS_CONTROL, a.enabled()));
    header.write(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE.with(command, 0));
  }
}
