package dev.doorbell.vfio;

import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import java.util.List;
import java.util.stream.IntStream;

/// What a reset of a function loses and its host must put back: where its BARs are, and its switches.
///
/// @param header the function's registers
record SavedHeader(
    ConfigAccess header, List<Long> bars, long command, long cacheLineSize, long interruptLine) {
  static SavedHeader of(ConfigSpace config) {
    ConfigAccess header = ConfigAccess.header(config);
    return new SavedHeader(
        header,
        IntStream.range(0, ConfigHeaderLayout.BAR.count())
            .mapToObj(i -> header.read(ConfigHeaderLayout.BAR, i))
            .toList(),
        header.read(ConfigHeaderLayout.COMMAND),
        header.read(ConfigHeaderLayout.CACHE_LINE_SIZE),
        header.read(ConfigHeaderLayout.INTERRUPT_LINE));
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
    header.write(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE.with(command, 0));
  }
}
