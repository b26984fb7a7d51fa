-- On glasses of Brilliant Labs, Frame or Halo: shows the text that the host sends, and tells it of taps.
-- A message comes in packets: [flag, length hi, length lo, bytes], then [flag, bytes]. Each is answered 0 0, or 0 1 if it is wrong.
-- What Lua 5.3 and 5.4 have in common.
local parts = {}
local left = 0

local function show(text)
  local y = 1
  for line in (text .. "\n"):gmatch("(.-)\n") do
    frame.display.text(line, 1, y)
    y = y + 60
  end
  frame.display.show()
end

local function take(packet)
  local bytes
  if left == 0 then
    if #packet < 3 then
      frame.bluetooth.send("\0\1")
      return
    end
    left = packet:byte(2) * 256 + packet:byte(3)
    bytes = packet:sub(4)
  else
    bytes = packet:sub(2)
  end
  if #bytes > left then
    parts, left = {}, 0
    frame.bluetooth.send("\0\1")
    return
  end
  left = left - #bytes
  parts[#parts + 1] = bytes
  if left == 0 then
    local text = table.concat(parts)
    parts = {}
    show(text)
    -- The heap of Frame is small.
    collectgarbage()
  end
  frame.bluetooth.send("\0\0")
end

function start()
  parts, left = {}, 0
  frame.bluetooth.receive_callback(take)
  frame.imu.tap_callback(function() frame.bluetooth.send("tap") end)
  show("Ready.")
end
