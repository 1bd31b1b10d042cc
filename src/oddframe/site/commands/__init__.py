"""What changes a site, the same whether a file, a program or a page asks for it: plain records, and who carries them
out."""

from oddframe.site.commands.carry_out import carry_out as carry_out
from oddframe.site.commands.changing import Carried as Carried
from oddframe.site.commands.records import AddCamera as AddCamera
from oddframe.site.commands.records import AddSink as AddSink
from oddframe.site.commands.records import CameraChanges as CameraChanges
from oddframe.site.commands.records import ChangeCamera as ChangeCamera
from oddframe.site.commands.records import ChangeSink as ChangeSink
from oddframe.site.commands.records import Command as Command
from oddframe.site.commands.records import NameSite as NameSite
from oddframe.site.commands.records import RemoveCamera as RemoveCamera
from oddframe.site.commands.records import RemoveSink as RemoveSink
from oddframe.site.commands.records import SetDetector as SetDetector
from oddframe.site.commands.records import SetLine as SetLine
from oddframe.site.commands.records import SetRetention as SetRetention
from oddframe.site.commands.records import SinkChanges as SinkChanges
