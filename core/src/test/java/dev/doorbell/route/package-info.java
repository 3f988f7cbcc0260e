@NullMarked
package dev.doorbell.route;

import org.jspecify.annotations.NullMarked;
